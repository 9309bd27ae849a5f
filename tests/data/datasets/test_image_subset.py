"""The images of a subset are those of its source, by other numbers."""

import numpy as np
import pytest
from PIL import Image

from data.datasets.image_files import ImageFiles
from data.datasets.image_subset import ImageSubset

CLASSES = ("cat", "dog")


def files(count=5, folder="photos", classes=CLASSES):
    labels = [number % 2 for number in range(count)] if classes else None
    return ImageFiles(folder, [f"{number}.png" for number in range(count)], labels, classes)


@pytest.mark.parametrize("numbers", [[3, 0, 4], (3, 0, 4), np.array([3, 0, 4])])
def test_images_come_in_the_order_of_the_numbers(numbers):
    subset = ImageSubset(files(), numbers)
    assert len(subset) == 3
    assert list(subset.names()) == ["photos/3.png", "photos/0.png", "photos/4.png"]
    assert [subset.file(number) for number in range(3)] == list(subset.names())


def test_labels_go_with_their_images():
    subset = ImageSubset(files(), [3, 0, 4])
    assert subset.classes == CLASSES
    assert [subset.label(number) for number in range(3)] == [1, 0, 0]


def test_subset_of_a_subset_is_a_subset():
    twice = ImageSubset(ImageSubset(files(), [4, 3, 2]), [2, 0])
    assert list(twice.names()) == ["photos/2.png", "photos/4.png"]
    assert [twice.label(number) for number in range(2)] == [0, 0]


def test_subset_of_images_without_labels_has_none():
    subset = ImageSubset(files(classes=None), [1])
    assert subset.classes is None
    assert subset.label(0) == -1


@pytest.mark.parametrize("count", [0, 5])
def test_subset_may_be_empty(count):
    subset = ImageSubset(files(count), [])
    assert not subset
    assert list(subset.names()) == []
    assert subset.classes == CLASSES


def test_image_is_read_by_its_new_number(tmp_path):
    for number in range(5):
        Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    subset = ImageSubset(files(folder=str(tmp_path)), [3, 0])
    assert [subset.read_rgb(number)[0, 0, 0] for number in range(2)] == [3, 0]
    assert subset.read_rgb(1, short_side=2).shape == (2, 3, 3)


def test_number_out_of_range_is_an_error():
    with pytest.raises(IndexError):
        ImageSubset(files(), [3, 0]).name(2)
