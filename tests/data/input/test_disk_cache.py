"""Images on the disk are kept for other runs, and a folder that cannot be used is an error."""

import sqlite3

import numpy as np
import pytest

from data.image_io import READER_VERSION
from data.input.disk_cache import DiskCache
from errors import InputError
from tests.data.input.images import pixels


def test_disk_cache_saves_images_for_the_next_run(tmp_path):
    DiskCache(tmp_path).put("a", pixels())
    np.testing.assert_array_equal(DiskCache(tmp_path).get("a"), pixels())


def test_two_runs_may_share_a_disk_cache(tmp_path):
    one, other = DiskCache(tmp_path), DiskCache(tmp_path)
    one.put("a", pixels(0))
    other.put("b", pixels(1))
    np.testing.assert_array_equal(other.get("a"), pixels(0))
    np.testing.assert_array_equal(one.get("b"), pixels(1))


def test_file_in_place_of_the_folder_is_an_input_error(tmp_path):
    (tmp_path / "cache").write_text("a letter")
    with pytest.raises(InputError, match=f"{tmp_path}/cache cannot be used.*give another folder"):
        DiskCache(tmp_path / "cache")


def test_foreign_file_in_the_folder_is_an_input_error(tmp_path):
    (tmp_path / "images.sqlite").write_text("no database at all\n" * 100)
    with pytest.raises(InputError, match=f"{tmp_path} cannot be used"):
        DiskCache(tmp_path)


def test_folder_in_place_of_the_database_is_an_input_error(tmp_path):
    (tmp_path / "images.sqlite").mkdir()
    with pytest.raises(InputError, match=f"{tmp_path} cannot be used"):
        DiskCache(tmp_path)


def test_images_of_another_version_of_the_reader_are_removed(tmp_path):
    DiskCache(tmp_path).put("a", pixels())
    assert DiskCache(tmp_path).get("a") is not None
    with sqlite3.connect(tmp_path / "images.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {READER_VERSION - 1}")
    connection.close()
    assert DiskCache(tmp_path).get("a") is None
