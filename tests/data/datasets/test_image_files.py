"""Image files are named by their paths and read from them."""

import numpy as np
import pytest
from PIL import Image

from data.datasets.image_files import ImageFiles
from data.image_io import UnreadableImageError

ORANGE = (200, 100, 50)

UNUSUAL = ["two words.png", "größe/日本.png", "#1:[a]*?.png", "\udcff.png", "line\nbreak.png"]


def image(path, size=(12, 8), color=ORANGE):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)


def test_name_and_file_are_the_path(tmp_path):
    source = ImageFiles(str(tmp_path), ["b.jpg", "deep/a.jpg"])
    assert len(source) == 2
    assert list(source.names()) == [f"{tmp_path}/b.jpg", f"{tmp_path}/deep/a.jpg"]
    assert source.file(1) == source.name(1) == f"{tmp_path}/deep/a.jpg"


@pytest.mark.parametrize("folder", ["photos", ".", "../photos"])
def test_relative_folder_stays_relative(folder):
    assert ImageFiles(folder, ["a.jpg"]).name(0) == f"{folder}/a.jpg"


@pytest.mark.parametrize("name", UNUSUAL, ids=ascii)
def test_image_is_read_whatever_its_name(tmp_path, name):
    image(tmp_path / name)
    source = ImageFiles(str(tmp_path), ["not read.png", name])
    np.testing.assert_array_equal(source.read_rgb(1), np.full((8, 12, 3), ORANGE))


def test_larger_image_is_shrunk(tmp_path):
    image(tmp_path / "a.png", (60, 40))
    assert ImageFiles(str(tmp_path), ["a.png"]).read_rgb(0, 8).shape == (8, 12, 3)


@pytest.mark.parametrize("content", [None, b"", b"no image"])
def test_unreadable_image_raises_when_it_is_read(tmp_path, content):
    if content is not None:
        (tmp_path / "a.png").write_bytes(content)
    source = ImageFiles(str(tmp_path), ["a.png"])
    with pytest.raises(UnreadableImageError):
        source.read_rgb(0)


def test_linked_image_has_the_name_of_the_link(tmp_path):
    image(tmp_path / "elsewhere" / "b.png")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").symlink_to(tmp_path / "elsewhere" / "b.png")
    source = ImageFiles(str(tmp_path / "photos"), ["a.png"])
    assert source.name(0) == f"{tmp_path}/photos/a.png"
    assert source.read_rgb(0).shape == (8, 12, 3)


def test_images_have_no_labels_by_default():
    source = ImageFiles("photos", ["a.jpg", "b.jpg"])
    assert source.classes is None
    assert [source.label(number) for number in range(2)] == [-1, -1]


def test_labels_and_classes_are_those_of_the_arguments():
    source = ImageFiles("photos", ["a.jpg", "b.jpg", "c.jpg"], [1, 0, 1], ("cat", "dog"))
    assert source.classes == ("cat", "dog")
    labels = [source.label(number) for number in range(3)]
    assert labels == [1, 0, 1]
    assert all(type(label) is int for label in labels)


def test_later_changes_of_the_list_of_paths_do_not_matter():
    paths = ["a.jpg", "b.jpg"]
    source = ImageFiles("photos", paths)
    paths.clear()
    assert len(source) == 2


def test_source_may_be_empty():
    source = ImageFiles("photos", [], [], ("cat", "dog"))
    assert not source
    assert list(source.names()) == []
