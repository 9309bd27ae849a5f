"""One image at a time: loaded, skipped or taken from a cache."""

import numpy as np
import pytest
from PIL import Image

from data.input.disk_cache import DiskCache
from data.input.image_loader import crop_source_side
from data.input.memory_cache import MemoryCache
from tests.data.input.images import (
    COLORS,
    Album,
    cache_of,
    loader_of,
    write_broken,
    write_noise,
    write_solid,
)


def test_loaded_image_has_the_short_side(tmp_path):
    loader = loader_of(write_noise(tmp_path, 1), tmp_path, short_side=12)
    assert len(loader) == 1
    assert loader.load(0).shape == (12, 16, 3)
    assert loader.load(0).dtype == np.uint8


def test_broken_image_is_skipped_and_named(tmp_path):
    files = write_broken(tmp_path, 1)
    loader = loader_of(files, tmp_path, total=10)
    assert loader.load(0) is None
    assert loader.skipped.reason(files[0]).startswith("unreadable: not an image")


def test_missing_image_is_skipped_and_named(tmp_path):
    for cache in (None, MemoryCache()):
        loader = loader_of([str(tmp_path / "nowhere.jpg")], tmp_path, total=10, cache=cache)
        assert loader.load(0) is None
        assert len(loader.skipped) == 1


def test_gray_image_is_skipped_and_named(tmp_path):
    files = write_solid(tmp_path, [(90, 90, 90), (200, 40, 40)])
    loader = loader_of(files, tmp_path, minimum_colorfulness=2.0)
    assert loader.load(0) is None
    assert loader.load(1) is not None
    assert loader.skipped.reason(files[0]) == "no color: colorfulness 0.0"


def test_gray_image_is_loaded_without_a_minimum_colorfulness(tmp_path):
    assert loader_of(write_solid(tmp_path, [(90, 90, 90)]), tmp_path).load(0) is not None


def test_dull_image_is_loaded_with_a_lower_minimum_colorfulness(tmp_path):
    files = write_solid(tmp_path, [(90, 90, 80)])
    assert loader_of(files, tmp_path, total=9, minimum_colorfulness=50.0).load(0) is None
    assert loader_of(files, tmp_path, total=9, minimum_colorfulness=1.0).load(0) is not None


def test_second_loading_comes_from_the_cache(tmp_path):
    cache = MemoryCache()
    loader = loader_of(write_noise(tmp_path, 1), tmp_path, cache=cache)
    first = loader.load(0)
    for key in cache._images:
        cache.put(key, first[::-1])
    np.testing.assert_array_equal(loader.load(0), first[::-1])


def test_cache_is_not_used_when_the_file_has_changed(tmp_path):
    files = write_solid(tmp_path, COLORS[:1])
    loader = loader_of(files, tmp_path, cache=MemoryCache())
    loader.load(0)
    Image.new("RGB", (16, 16), COLORS[1]).save(files[0])
    assert tuple(loader.load(0)[0, 0]) == COLORS[1]


def test_cache_is_separate_for_each_short_side(tmp_path):
    files, cache = write_noise(tmp_path, 1), DiskCache(tmp_path)
    sides = [loader_of(files, tmp_path, side, cache=cache).load(0).shape[0] for side in (16, 12)]
    assert sides == [16, 12]


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_cache_is_separate_for_each_image_in_one_file(tmp_path, kind):
    album = Album(tmp_path / "album.npy")
    loader = loader_of(album, tmp_path, cache=cache_of(kind, tmp_path))
    for _ in range(2):
        assert [tuple(loader.load(number)[0, 0]) for number in range(6)] == COLORS
    assert album.readings == list(range(6))


@pytest.mark.parametrize("kind", ["memory", "disk"])
def test_cache_is_not_used_when_the_file_that_contains_the_images_has_changed(tmp_path, kind):
    album = Album(tmp_path / "album.npy")
    loader = loader_of(album, tmp_path, cache=cache_of(kind, tmp_path))
    for number in range(6):
        loader.load(number)
    album.write(COLORS[::-1])
    assert [tuple(loader.load(number)[0, 0]) for number in range(6)] == COLORS[::-1]


def test_bad_image_in_a_file_is_skipped_and_the_others_are_not(tmp_path):
    album = Album(tmp_path / "album.npy", torn=[1])
    loader = loader_of(album, tmp_path)
    assert [loader.load(number) is None for number in range(6)] == [False, True] + [False] * 4
    assert loader.skipped.reason(album.name(1)) == "unreadable: the page is torn"


def test_bad_image_in_a_file_is_tried_again_when_the_file_has_changed(tmp_path):
    album = Album(tmp_path / "album.npy", torn=[1])
    assert loader_of(album, tmp_path).load(1) is None
    album.readings.clear()
    assert loader_of(album, tmp_path).load(1) is None
    assert album.readings == []
    album.torn = ()
    album.write(COLORS)
    assert loader_of(album, tmp_path).load(1) is not None


@pytest.mark.parametrize(("share", "side"), [(1.0, 128), (0.25, 256), (0.5, 182)])
def test_source_is_large_enough_for_the_smallest_crop(share, side):
    assert crop_source_side(128, share) == side
