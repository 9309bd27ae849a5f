"""Cached images are read back unchanged, from memory as from the disk."""

import threading

import numpy as np
import pytest

from data.input.disk_cache import DiskCache
from data.input.memory_cache import MemoryCache
from tests.data.input.images import pixels


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
