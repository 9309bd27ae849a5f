"""Folders that a job cannot write to are refused before it starts, and nothing is left behind."""

import os

import pytest

from errors import InputError
from jobs.common.folders import check_folder, make_folder, refuse_file


def test_a_folder_is_created_with_those_above_it(here):
    make_folder("a/b", "output_dir")
    make_folder("a/b", "output_dir")
    assert (here / "a/b").is_dir()


def test_checking_creates_nothing(here):
    check_folder("a/b", "output_dir")
    assert os.listdir(here) == []


@pytest.mark.parametrize("make", [check_folder, make_folder])
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("file", "--log_dir file: File exists; give another folder"),
        ("file/a", "--log_dir file/a: Not a directory; give another folder"),
        ("link", "--log_dir link: File exists; give another folder"),
        ("link/a", "--log_dir link/a: Not a directory; give another folder"),
    ],
)
def test_what_is_no_folder_is_refused(here, make, path, words):
    (here / "file").touch()
    (here / "link").symlink_to("absent")
    with pytest.raises(InputError) as error:
        make(path, "log_dir")
    assert str(error.value) == words
    assert sorted(os.listdir(here)) == ["file", "link"]


def test_a_folder_that_is_not_writable_is_refused(here, monkeypatch):
    # Root may write everywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=r"^--log_dir a: it is not writable"):
        make_folder("a", "log_dir")
    assert os.listdir(here) == []


def test_a_file_is_no_folder_of_weights(here):
    refuse_file("absent", "weights")
    refuse_file(".", "weights")
    (here / "file").touch()
    with pytest.raises(InputError, match=r"^--weights file: it is a file; give the folder"):
        refuse_file("file", "weights")
