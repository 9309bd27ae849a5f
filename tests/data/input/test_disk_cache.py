"""Cached images are read back unchanged from memory and from disk."""

import sqlite3
import threading

import numpy as np
import pytest

from data.image_io import READER_VERSION
from data.input.disk_cache import DiskCache
from data.input.memory_cache import MemoryCache
from errors import InputError


def pixels(seed=0, height=5, width=7):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")


@pytest.fixture(params=["memory", "disk"])
def cache(request, tmp_path):
    return MemoryCache() if request.param == "memory" else DiskCache(tmp_path / "new" / "cache")


def test_unknown_key_has_no_image(cache):
    assert cache.get("a.jpg") is None


def test_image_is_read_back_unchanged(cache):
    cache.put("a.jpg|1|128", pixels())
    back = cache.get("a.jpg|1|128")
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, pixels())


def test_each_key_has_its_own_image(cache):
    cache.put("a", pixels(0))
    cache.put("b", pixels(1, 4, 9))
    np.testing.assert_array_equal(cache.get("a"), pixels(0))
    np.testing.assert_array_equal(cache.get("b"), pixels(1, 4, 9))


def test_later_image_replaces_the_earlier(cache):
    cache.put("a", pixels(0))
    cache.put("a", pixels(1, 2, 2))
    np.testing.assert_array_equal(cache.get("a"), pixels(1, 2, 2))


def test_view_of_a_larger_array_is_saved_in_order(cache):
    cache.put("a", pixels()[::-1, 1:5])
    np.testing.assert_array_equal(cache.get("a"), pixels()[::-1, 1:5])


@pytest.mark.parametrize("key", ["Größe.jpg", "\udcff.jpg"], ids=["umlaut", "not UTF-8"])
def test_key_may_be_the_name_of_any_file(cache, key):
    cache.put(key, pixels())
    np.testing.assert_array_equal(cache.get(key), pixels())


def test_many_threads_may_use_it(cache):
    errors = []

    def use(worker):
        try:
            for number in range(10):
                cache.put(f"{worker}/{number}", pixels(10 * worker + number))
                cache.put("shared", pixels())
                back = cache.get(f"{worker}/{number}")
                np.testing.assert_array_equal(back, pixels(10 * worker + number))
        # Any error in a thread should fail the test.
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=use, args=[worker]) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    np.testing.assert_array_equal(cache.get("7/9"), pixels(79))
    np.testing.assert_array_equal(cache.get("shared"), pixels())


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
