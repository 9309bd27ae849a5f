"""Concatenated images are those of all sources, one source after the other."""

import numpy as np
import pytest
from PIL import Image

from data.datasets.concatenated_images import ConcatenatedImages
from data.datasets.image_files import ImageFiles

CLASSES = ("cat", "dog")


def files(folder, count, label=None, classes=None):
    labels = None if label is None else [label] * count
    return ImageFiles(folder, [f"{number}.png" for number in range(count)], labels, classes)


def test_sources_come_one_after_the_other():
    joined = ConcatenatedImages([files("a", 2), files("b", 1), files("c", 3)])
    assert len(joined) == 6
    names = ["a/0.png", "a/1.png", "b/0.png", "c/0.png", "c/1.png", "c/2.png"]
    assert list(joined.names()) == names
    assert [joined.file(number) for number in range(6)] == names


@pytest.mark.parametrize("counts", [(0, 2), (2, 0), (0, 0, 1, 0, 0, 1, 0), (1, 0, 0, 1)])
def test_empty_sources_do_not_matter(counts):
    joined = ConcatenatedImages([files(str(count), count) for count in counts])
    expected = [f"{count}/{number}.png" for count in counts for number in range(count)]
    assert list(joined.names()) == expected


@pytest.mark.parametrize("count", [1, 3])
def test_all_sources_may_be_empty(count):
    joined = ConcatenatedImages([files("a", 0)] * count)
    assert not joined
    assert list(joined.names()) == []


def test_concatenated_images_can_be_joined():
    joined = ConcatenatedImages([files("a", 1), ConcatenatedImages([files("b", 1), files("c", 1)])])
    assert list(joined.names()) == ["a/0.png", "b/0.png", "c/0.png"]


@pytest.mark.parametrize("number", [-1, 3, 100])
def test_number_out_of_range_is_an_error(number):
    joined = ConcatenatedImages([files("a", 2), files("b", 1)])
    with pytest.raises(IndexError, match=f"image index {number} is out of range for 3 images"):
        joined.name(number)


def test_number_may_be_a_numpy_integer():
    joined = ConcatenatedImages([files("a", 2), files("b", 1)])
    assert joined.name(np.int64(2)) == "b/0.png"


def test_same_classes_keep_their_labels():
    joined = ConcatenatedImages([files("a", 1, 0, CLASSES), files("b", 2, 1, tuple(CLASSES))])
    assert joined.classes == CLASSES
    assert [joined.label(number) for number in range(3)] == [0, 1, 1]


@pytest.mark.parametrize("other_classes", [None, ("dog", "cat"), ("cat",), ("cat", "dog", "cow")])
def test_different_classes_have_no_labels(other_classes):
    label = None if other_classes is None else 0
    joined = ConcatenatedImages([files("a", 1, 1, CLASSES), files("b", 1, label, other_classes)])
    assert joined.classes is None
    assert [joined.label(number) for number in range(2)] == [-1, -1]


def test_images_without_labels_have_none():
    joined = ConcatenatedImages([files("a", 1), files("b", 1)])
    assert joined.classes is None
    assert joined.label(1) == -1


def test_image_is_read_from_its_source(tmp_path):
    for number, name in enumerate("abc"):
        (tmp_path / name).mkdir()
        Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / name / "0.png")
    joined = ConcatenatedImages([files(str(tmp_path / name), 1) for name in "abc"])
    assert [joined.read_rgb(number)[0, 0, 0] for number in range(3)] == [0, 1, 2]
    assert joined.read_rgb(2, short_side=2).shape == (2, 3, 3)
