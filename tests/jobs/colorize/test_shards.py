"""Shards color every photograph exactly once."""

import pytest

import run
from tests.jobs.colorize.photographs import photograph


def test_shards_color_every_photograph_exactly_once(color_photographs, here, capsys):
    wanted = {f"{number % 3}/{number}.png" for number in range(9)}
    for name in wanted:
        photograph(here / "gray" / name)
    colored = []
    for shard in (1, 2, 3):
        output = here / f"part{shard}"
        options = ("--shard", f"{shard}/3", "--output_dir", str(output))
        assert color_photographs("gray", *options) == 0
        colored.append({path.relative_to(output).as_posix() for path in output.rglob("*.png")})
        assert f"{len(colored[-1])} colored" in capsys.readouterr().out
    assert set.union(*colored) == wanted
    assert sum(map(len, colored)) == 9
    assert all(colored)

    # A shard stays the same when photographs are added and the folder is renamed.
    (here / "gray").rename(here / "archive")
    for number in range(9, 20):
        photograph(here / "archive" / f"{number}.png")
    assert color_photographs("archive", "--shard", "2/3", "--output_dir", "again") == 0
    again = {
        path.relative_to(here / "again").as_posix() for path in (here / "again").rglob("*.png")
    }
    assert again & wanted == colored[1]


def test_an_empty_shard_ends_at_once(here, capsys):
    photograph(here / "gray" / "1.png")
    statuses = [
        run.main(["--images", "gray", "--shard", f"{shard}/40", "--weights", "absent"])
        for shard in range(1, 41)
    ]
    # The weights are loaded only where there is something to color.
    assert sorted(statuses) == [0] * 39 + [2]
    assert capsys.readouterr().out.count("none of 1 photographs is in shard") == 39


def test_photographs_with_the_same_result_are_in_the_same_shard(color_photographs, here, capsys):
    for number in range(6):
        photograph(here / "gray" / f"{number}.png")
        photograph(here / "gray" / f"{number}.bmp")
    statuses = [
        color_photographs("gray", "--format", "png", "--shard", f"{shard}/2") for shard in (1, 2)
    ]
    assert statuses == [1, 1]
    message = capsys.readouterr().err
    assert message.count("its result would replace that of") == 6
    assert len(list((here / "results").iterdir())) == 6


@pytest.mark.parametrize("wrong", ["0/4", "5/4", "2", "1/0", "a/b", "-1/4", "1/4/2"])
def test_an_invalid_shard_is_a_one_line_error(here, capsys, wrong):
    assert run.main(["--images", "demo", f"--shard={wrong}"]) == 2
    message = capsys.readouterr().err
    assert "is not I/N with I from 1 to N, as in 1/4" in message
    assert message.count("\n") == 1
