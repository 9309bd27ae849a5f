"""Chosen images are those of the source, by other numbers."""

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
    chosen = ImageSubset(files(), numbers)
    assert len(chosen) == 3
    assert list(chosen.names()) == ["photos/3.png", "photos/0.png", "photos/4.png"]
    assert [chosen.file(number) for number in range(3)] == list(chosen.names())


def test_labels_go_with_their_images():
    chosen = ImageSubset(files(), [3, 0, 4])
    assert chosen.classes == CLASSES
    assert [chosen.label(number) for number in range(3)] == [1, 0, 0]


def test_choice_of_a_choice_is_a_choice():
    twice = ImageSubset(ImageSubset(files(), [4, 3, 2]), [2, 0])
    assert list(twice.names()) == ["photos/2.png", "photos/4.png"]
    assert [twice.label(number) for number in range(2)] == [0, 0]


def test_without_labels_there_are_none():
    chosen = ImageSubset(files(classes=None), [1])
    assert chosen.classes is None
    assert chosen.label(0) == -1


@pytest.mark.parametrize("count", [0, 5])
def test_nothing_may_be_chosen(count):
    chosen = ImageSubset(files(count), [])
    assert not chosen
    assert list(chosen.names()) == []
    assert chosen.classes == CLASSES


def test_image_is_read_by_its_new_number(tmp_path):
    for number in range(5):
        Image.new("RGB", (6, 4), (number, 0, 0)).save(tmp_path / f"{number}.png")
    chosen = ImageSubset(files(folder=str(tmp_path)), [3, 0])
    assert [chosen.read_rgb(number)[0, 0, 0] for number in range(2)] == [3, 0]
    assert chosen.read_rgb(1, short_side=2).shape == (2, 3, 3)


def test_number_beyond_the_choice_is_an_error():
    with pytest.raises(IndexError):
        ImageSubset(files(), [3, 0]).name(2)
