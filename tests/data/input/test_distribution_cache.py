"""Distributions are cached by image, separately for each teacher and each list of images."""

import errno
import os

import numpy as np
import pytest

from data.input.distribution_cache import DistributionCache
from errors import InputError

NAMES = [f"images/{number}.png" for number in range(6)]


def rows(count=6, classes=10, seed=0):
    """Distributions, some of them as confident as those of a classifier."""
    logits = 4.0 * np.random.default_rng(seed).normal(size=(count, classes))
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype("float32")


def cache_in(folder, names=NAMES, classes=10, teacher="vgg16"):
    return DistributionCache(folder, names, classes, teacher)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_all_rows_are_missing_at_first(tmp_path):
    cache = cache_in(tmp_path / "deep" / "cache")
    assert cache.missing() == list(range(6))
    assert [cache.get(number) for number in range(6)] == [None] * 6
    # The file has its full size from the start.
    assert cache.path.stat().st_size == 6 * 10 * 2
    assert cache.path.parent == tmp_path / "deep" / "cache"


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_rows_are_read_back(tmp_path, classes):
    cache = cache_in(tmp_path, classes=classes)
    for number, row in enumerate(rows(classes=classes)):
        cache.put(number, row)
    assert cache.missing() == []
    for number, row in enumerate(rows(classes=classes)):
        found = cache.get(number)
        assert (found.shape, found.dtype) == ((classes,), np.float32)
        assert found.sum() == pytest.approx(1.0, abs=1e-5)
        # Half precision has 11 significant bits, and fewer for the smallest numbers.
        np.testing.assert_allclose(found, row, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("row", [np.eye(10)[3], np.full(10, 0.1)], ids=["one-hot", "uniform"])
def test_extreme_rows_are_read_back(tmp_path, row):
    cache = cache_in(tmp_path)
    cache.put(2, row)
    np.testing.assert_allclose(cache.get(2), row, rtol=1e-3)


def test_uniform_row_of_1000_classes_is_read_back(tmp_path):
    cache = cache_in(tmp_path, classes=1000)
    cache.put(0, np.full(1000, 1e-3))
    np.testing.assert_allclose(cache.get(0), 1e-3, rtol=1e-4)


def test_each_image_has_its_own_row(tmp_path):
    cache = cache_in(tmp_path)
    for number in (4, 1):
        cache.put(number, rows()[number])
    assert cache.missing() == [0, 2, 3, 5]
    for number in (4, 1):
        np.testing.assert_allclose(cache.get(number), rows()[number], rtol=2e-3, atol=1e-6)


def test_rows_are_saved_for_the_next_run(tmp_path):
    cache = cache_in(tmp_path)
    cache.put(3, rows()[3])
    cache.flush()
    again = cache_in(tmp_path)
    assert again.path == cache.path
    assert again.missing() == [0, 1, 2, 4, 5]
    np.testing.assert_allclose(again.get(3), rows()[3], rtol=2e-3, atol=1e-6)
    again.put(0, rows()[0])
    again.flush()
    assert cache_in(tmp_path).missing() == [1, 2, 4, 5]


def test_half_written_row_counts_as_missing(tmp_path):
    cache = cache_in(tmp_path)
    for number, row in enumerate(np.full((6, 10), 0.1)):
        cache.put(number, row)
    cache.flush()
    # A crash left the first half of the fourth row on disk.
    with open(cache.path, "r+b") as file:
        file.seek((3 * 10 + 5) * 2)
        file.write(bytes(5 * 2))
    assert cache_in(tmp_path).missing() == [3]
    assert cache_in(tmp_path).get(3) is None


def test_nonfinite_row_counts_as_missing(tmp_path):
    cache = cache_in(tmp_path)
    cache.put(0, np.full(10, np.nan))
    cache.put(1, np.full(10, np.inf))
    assert cache.missing() == list(range(6))


@pytest.mark.parametrize("size", [0, 7, 6 * 10 * 2 - 1, 6 * 10 * 2 + 2])
def test_file_of_another_size_is_created_anew(tmp_path, size):
    cache = cache_in(tmp_path)
    cache.put(0, rows()[0])
    cache.flush()
    cache.path.write_bytes(bytes([60]) * size)
    again = cache_in(tmp_path)
    assert again.path.stat().st_size == 6 * 10 * 2
    assert again.missing() == list(range(6))


@pytest.mark.parametrize(
    "other",
    [
        {"names": NAMES[::-1]},
        {"names": NAMES[:5]},
        {"names": [*NAMES[:5], "images/other.png"]},
        {"classes": 11},
        {"teacher": "mobilenet_v2"},
    ],
    ids=["another order", "fewer", "another image", "other classes", "another teacher"],
)
def test_another_request_has_another_file(tmp_path, other):
    cache = cache_in(tmp_path)
    cache.put(0, rows()[0])
    cache.flush()
    another = cache_in(tmp_path, **other)
    assert another.path != cache.path
    assert 0 in another.missing()
    assert len(files_in(tmp_path)) == 2
    assert cache_in(tmp_path).missing() == list(range(1, 6))


def test_names_that_are_not_utf8_have_their_own_files(tmp_path):
    # Python decodes a file name that is not UTF-8 to such surrogates.
    paths = {cache_in(tmp_path, ["a\udcff.png"]).path, cache_in(tmp_path, ["a\udcfe.png"]).path}
    assert len(paths) == 2


@pytest.mark.parametrize("path", ["file", "file/deeper"])
def test_folder_that_cannot_be_written_is_an_error_of_one_line(tmp_path, path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        cache_in(tmp_path / path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / path}: ")
    assert message.endswith("; give another folder")
    assert "None" not in message
    assert len(message.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="only POSIX has posix_fallocate")
def test_full_disk_leaves_no_file(tmp_path, monkeypatch):
    def disk_is_full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", disk_is_full)
        for _ in range(2):
            with pytest.raises(InputError, match="No space left on device; give another folder"):
                cache_in(tmp_path)
            assert files_in(tmp_path) == []
    assert cache_in(tmp_path).missing() == list(range(6))


def test_row_without_its_small_numbers_counts_as_missing(tmp_path):
    cache = cache_in(tmp_path)
    row = np.full(10, 0.008 / 5)
    row[:5] = 0.992 / 5
    cache.put(1, row)
    cache.put(2, np.where(row > 0.1, row, 0.0))
    assert cache.missing() == [0, 2, 3, 4, 5]
