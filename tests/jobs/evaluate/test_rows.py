"""Tests of the names of rows: short, unique, and different from those of the fixed rows."""

from pathlib import Path

import pytest

from jobs.evaluate.rows import CONSTANT, GRAY, TRUTH, short_names

FIXED = (TRUTH, GRAY, CONSTANT)


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["weights/sagan"], ["sagan"]),
        (["weights/a", "weights/b"], ["a", "b"]),
        (["a/sagan", "b/sagan", "other"], ["a/sagan", "b/sagan", "other"]),
        (["1/x/sagan", "2/x/sagan", "3/sagan"], ["1/x/sagan", "2/x/sagan", "3/sagan"]),
        (["/home/me/sagan", "/home/you/sagan"], ["me/sagan", "you/sagan"]),
        (["here/sagan", "here/sagan/sagan"], ["here/sagan", "sagan/sagan"]),
        (["my weights/", "./x/../theirs"], ["my weights", "theirs"]),
        ([], []),
    ],
)
def test_names_are_the_shortest_path_endings_that_tell_folders_apart(paths, names):
    assert short_names(list(map(Path, paths)), FIXED) == names


def test_dots_are_resolved_to_the_name_of_the_folder(tmp_path, monkeypatch):
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "mine" / "deep")
    assert short_names([Path("."), Path("..")]) == ["deep", "mine"]


@pytest.mark.parametrize("taken", FIXED)
def test_no_folder_has_the_name_of_a_fixed_row(taken):
    assert short_names([Path("one", taken), Path("two")], FIXED) == [f"one/{taken}", "two"]
    assert short_names([Path("one", taken)]) == [taken]


def test_folders_below_the_root_are_named_by_their_path():
    names = short_names([Path("/weights"), Path("/old/weights"), Path("/gray")], FIXED)
    assert names == ["/weights", "old/weights", "/gray"]
