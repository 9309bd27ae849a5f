"""Files are written completely or not at all."""

import os
import stat

import pytest

from data.atomic import write_beside


def fail_half_way(path, error):
    with write_beside(path) as temporary:
        temporary.write_text("half of the n")
        raise error


def test_new_file_and_its_folder_are_created(tmp_path):
    path = tmp_path / "a" / "b" / "card.json"
    with write_beside(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(path.parent) == ["card.json"]


def test_old_file_is_replaced(tmp_path):
    path = tmp_path / "card.json"
    path.write_text("old")
    with write_beside(str(path)) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["card.json"]


def test_old_file_remains_until_the_block_ends(tmp_path):
    path = tmp_path / "card.json"
    path.write_text("old")
    with write_beside(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "card.json"
    path.write_text("old")
    with pytest.raises(error):
        fail_half_way(path, error)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["card.json"]


def test_failure_leaves_no_file_where_none_was(tmp_path):
    with pytest.raises(OSError, match="disk is full"):
        fail_half_way(tmp_path / "new.png", OSError("disk is full"))
    assert os.listdir(tmp_path) == []


def test_temporary_file_has_the_suffix_and_the_folder_of_the_target(tmp_path):
    with write_beside(tmp_path / "image.png") as temporary:
        assert temporary.suffix == ".png"
        assert temporary.parent == tmp_path


def test_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "ordinary").write_text("")
    with write_beside(tmp_path / "card.json") as temporary:
        temporary.write_text("")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ordinary", "card.json")]
    assert modes[0] == modes[1]
