"""What a teacher has seen is kept by image, and is only as old as what it was asked."""

import errno
import os

import numpy as np
import pytest

from data.input.distribution_cache import DistributionCache
from errors import InputError

NAMES = [f"images/{number}.png" for number in range(6)]


def rows(count=6, classes=10, seed=0):
    """DistributionCache, some of them as sure as a classifier is."""
    logits = 4.0 * np.random.default_rng(seed).normal(size=(count, classes))
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype("float32")


def kept_in(folder, names=NAMES, classes=10, teacher="vgg16"):
    return DistributionCache(folder, names, classes, teacher)


def files_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_is_there_at_first(tmp_path):
    kept = kept_in(tmp_path / "deep" / "cache")
    assert kept.missing() == list(range(6))
    assert [kept.get(number) for number in range(6)] == [None] * 6
    # As long as all rows from the beginning.
    assert kept.path.stat().st_size == 6 * 10 * 2
    assert kept.path.parent == tmp_path / "deep" / "cache"


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_what_is_put_comes_back(tmp_path, classes):
    kept = kept_in(tmp_path, classes=classes)
    for number, row in enumerate(rows(classes=classes)):
        kept.put(number, row)
    assert kept.missing() == []
    for number, row in enumerate(rows(classes=classes)):
        found = kept.get(number)
        assert (found.shape, found.dtype) == ((classes,), np.float32)
        assert found.sum() == pytest.approx(1.0, abs=1e-5)
        # Half precision has eleven bits, and less of the smallest numbers.
        np.testing.assert_allclose(found, row, rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize("row", [np.eye(10)[3], np.full(10, 0.1)], ids=["sure", "unsure"])
def test_the_extremes_come_back(tmp_path, row):
    kept = kept_in(tmp_path)
    kept.put(2, row)
    np.testing.assert_allclose(kept.get(2), row, rtol=1e-3)


def test_a_thousand_equal_chances_come_back(tmp_path):
    kept = kept_in(tmp_path, classes=1000)
    kept.put(0, np.full(1000, 1e-3))
    np.testing.assert_allclose(kept.get(0), 1e-3, rtol=1e-4)


def test_each_row_is_of_its_own_image(tmp_path):
    kept = kept_in(tmp_path)
    for number in (4, 1):
        kept.put(number, rows()[number])
    assert kept.missing() == [0, 2, 3, 5]
    for number in (4, 1):
        np.testing.assert_allclose(kept.get(number), rows()[number], rtol=2e-3, atol=1e-6)


def test_it_survives_being_opened_again(tmp_path):
    kept = kept_in(tmp_path)
    kept.put(3, rows()[3])
    kept.flush()
    again = kept_in(tmp_path)
    assert again.path == kept.path
    assert again.missing() == [0, 1, 2, 4, 5]
    np.testing.assert_allclose(again.get(3), rows()[3], rtol=2e-3, atol=1e-6)
    again.put(0, rows()[0])
    again.flush()
    assert kept_in(tmp_path).missing() == [1, 2, 4, 5]


def test_half_written_row_counts_as_missing(tmp_path):
    kept = kept_in(tmp_path)
    for number, row in enumerate(np.full((6, 10), 0.1)):
        kept.put(number, row)
    kept.flush()
    # A crash left the first half of the fourth row on the disk.
    with open(kept.path, "r+b") as file:
        file.seek((3 * 10 + 5) * 2)
        file.write(bytes(5 * 2))
    assert kept_in(tmp_path).missing() == [3]
    assert kept_in(tmp_path).get(3) is None


def test_row_of_no_numbers_counts_as_missing(tmp_path):
    kept = kept_in(tmp_path)
    kept.put(0, np.full(10, np.nan))
    kept.put(1, np.full(10, np.inf))
    assert kept.missing() == list(range(6))


@pytest.mark.parametrize("size", [0, 7, 6 * 10 * 2 - 1, 6 * 10 * 2 + 2])
def test_file_of_another_length_is_begun_anew(tmp_path, size):
    kept = kept_in(tmp_path)
    kept.put(0, rows()[0])
    kept.flush()
    kept.path.write_bytes(bytes([60]) * size)
    again = kept_in(tmp_path)
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
def test_what_was_asked_otherwise_is_another_file(tmp_path, other):
    kept = kept_in(tmp_path)
    kept.put(0, rows()[0])
    kept.flush()
    another = kept_in(tmp_path, **other)
    assert another.path != kept.path
    assert 0 in another.missing()
    assert len(files_in(tmp_path)) == 2
    assert kept_in(tmp_path).missing() == list(range(1, 6))


def test_names_that_are_no_text_are_kept_apart(tmp_path):
    # As Python reads a name of the disk that is no UTF-8.
    paths = {kept_in(tmp_path, ["a\udcff.png"]).path, kept_in(tmp_path, ["a\udcfe.png"]).path}
    assert len(paths) == 2


@pytest.mark.parametrize("place", ["file", "file/deeper"])
def test_folder_that_cannot_be_written_is_one_line(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        kept_in(tmp_path / place)
    message = str(caught.value)
    assert message.startswith(f"--teacher_cache {tmp_path / place}: ")
    assert message.endswith("; give another folder")
    assert "None" not in message
    assert len(message.splitlines()) == 1


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="of POSIX alone")
def test_on_a_full_disk_no_file_is_left_that_has_no_place_there(tmp_path, monkeypatch):
    def no_room(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", no_room)
        for _ in range(2):
            with pytest.raises(InputError, match="No space left on device; give another folder"):
                kept_in(tmp_path)
            assert files_in(tmp_path) == []
    assert kept_in(tmp_path).missing() == list(range(6))


def test_row_of_which_the_small_numbers_are_gone_counts_as_missing(tmp_path):
    kept = kept_in(tmp_path)
    row = np.full(10, 0.008 / 5)
    row[:5] = 0.992 / 5
    kept.put(1, row)
    kept.put(2, np.where(row > 0.1, row, 0.0))
    assert kept.missing() == [0, 2, 3, 4, 5]
