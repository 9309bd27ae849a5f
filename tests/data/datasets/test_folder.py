"""A folder is split, its paired grayscale is skipped, and errors are reported."""

import os
from pathlib import Path

import pytest
from PIL import Image

import data.datasets.folder
import data.datasets.paired_grayscale
from data.datasets.folder import demo_images
from tests.data.datasets.found import (
    find_dataset,
    find_folder,
    numbered,
    refusal,
    relative_names,
    skipped_counts,
    touch,
    used,
    write_images,
)

# --- the split ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "names",
    [
        numbered(20, "train/"),
        numbered(20, "val/"),
        numbered(10, "train/") + ["validation/notes.txt"],
        numbered(10, "deep/er/train/") + numbered(10, "deep/er/val/"),
        numbered(30, "cats/") + numbered(10, "dogs/train/") + numbered(10, "dogs/val/"),
        numbered(10, "train/") + ["val.jpg"],
        numbered(10, "train/") + ["val/.hidden.jpg"],
    ],
    ids=[
        "no validation",
        "no training",
        "empty",
        "deeper",
        "a part",
        "an image called val",
        "hidden",
    ],
)
def test_any_other_folder_is_split_by_names(tmp_path, names):
    touch(tmp_path, names)
    found = find_folder(tmp_path)
    shown = [name for name in names if name.endswith(".jpg") and "/." not in name]
    assert used(found, tmp_path) == sorted(shown)
    assert 1 <= len(found.validation) <= 5
    assert skipped_counts(found) == {}


def test_other_files_are_counted(tmp_path):
    touch(tmp_path, numbered(3) + ["a.txt", "deep/b.TXT", "c.mov"])
    assert find_folder(tmp_path).notes == ("3 other files were passed over: 2 .txt, 1 .mov",)


def test_split_is_complete_whatever_the_names(tmp_path):
    names = ["a b.jpg", "größe/日本.jpg", "#1:[a]*?.jpg", "\udcff.jpg", "x\udcfe/line\nbreak.jpg"]
    touch(tmp_path, names)
    assert used(find_folder(tmp_path), tmp_path) == sorted(names)


@pytest.mark.parametrize("name", ["[photos]", "*", "größe", "\udcff", "two words", "a:b", "#1"])
def test_folder_is_found_whatever_its_name(tmp_path, name):
    touch(tmp_path / name, numbered(5))
    found = find_folder(tmp_path / name)
    assert used(found, tmp_path / name) == numbered(5)
    assert found.name == str(tmp_path / name)


def test_split_does_not_depend_on_the_path_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [Path("here"), tmp_path / "b" / "there", Path("./here/../here")]
    sides = []
    for folder in folders:
        touch(folder, numbered(100) + numbered(100, "deep/"))
        sides.append(relative_names(find_folder(folder, 0.2).validation, folder))
    assert sides[0] == sides[1] == sides[2]


def test_split_depends_on_the_seed(tmp_path):
    touch(tmp_path, numbered(100))
    sides = [
        relative_names(find_folder(tmp_path, 0.2, seed=seed).validation, tmp_path)
        for seed in (1, 2)
    ]
    assert sides[0] != sides[1]


def test_images_have_no_labels(tmp_path):
    touch(tmp_path, ["cats/a.jpg", "dogs/b.jpg"])
    found = find_folder(tmp_path)
    assert found.training.classes is None
    assert found.training.label(0) == -1


def test_linked_folder_is_used(tmp_path):
    touch(tmp_path / "elsewhere", numbered(3))
    (tmp_path / "photos").symlink_to("elsewhere", target_is_directory=True)
    assert used(find_folder(tmp_path / "photos"), tmp_path / "photos") == numbered(3)


def test_broken_link_with_the_name_of_an_image_is_found(tmp_path):
    touch(tmp_path, numbered(3))
    (tmp_path / "b.jpg").symlink_to("nowhere.jpg")
    assert used(find_folder(tmp_path), tmp_path) == [*numbered(3), "b.jpg"]


def test_nothing_is_decoded(tmp_path, monkeypatch):
    names = numbered(5, "train/cats/") + numbered(9, "train/dogs/") + numbered(3, "val/")
    write_images(tmp_path, [name.replace(".jpg", ".png") for name in names])
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    # In train, images are read, because cats and dogs have the same names and may be paired.
    assert len(find_folder(tmp_path / "val").training) == 2
    assert opened == []


# --- demo --------------------------------------------------------------------------------------


def test_demo_is_a_handful_of_color_photographs():
    found = find_dataset("demo")
    assert sorted([*found.training.names(), *found.validation.names()]) == sorted(
        map(str, demo_images())
    )
    assert found.name == "demo"
    assert found.training
    assert found.validation


def test_demo_photographs_can_be_read():
    assert min(find_dataset("demo").training.read_rgb(0, 16).shape[:2]) == 16


def test_missing_photographs_of_scikit_image_are_reported(tmp_path, monkeypatch):
    import skimage

    monkeypatch.setattr(skimage, "data_dir", str(tmp_path))
    assert str(tmp_path) in refusal("demo")


# --- errors ------------------------------------------------------------------------------------


def test_missing_folder_is_reported(tmp_path):
    assert "does not exist" in refusal(str(tmp_path / "nowhere"))


def test_missing_folder_is_reported_with_similar_names(tmp_path):
    (tmp_path / "photographs").mkdir()
    assert "did you mean photographs?" in refusal(str(tmp_path / "photgraphs"))


def test_broken_link_is_a_missing_folder(tmp_path):
    (tmp_path / "photos").symlink_to("nowhere")
    assert "does not exist" in refusal(str(tmp_path / "photos"))


def test_file_instead_of_a_folder_is_reported(tmp_path):
    touch(tmp_path, ["a.jpg"])
    assert "is a file" in refusal(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize("names", [[], ["deep/notes.txt"], [".hidden.jpg", ".deep/a.jpg"]])
def test_folder_without_images_is_reported(tmp_path, names):
    touch(tmp_path, names)
    message = refusal(str(tmp_path))
    assert "no images in this folder or its subfolders" in message
    assert ".jpg" in message


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission_is_reported(tmp_path):
    (tmp_path / "photos").mkdir(mode=0)
    assert "give a readable folder" in refusal(str(tmp_path / "photos"))


def test_folder_that_cannot_be_listed_is_reported(tmp_path, monkeypatch):
    def refuse(folder, **options):
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(data.datasets.folder, "list_image_paths", refuse)
    assert refusal(str(tmp_path)) == "Permission denied; give a readable folder"


@pytest.mark.parametrize("exists", [False, True])
def test_line_break_in_the_name_of_a_folder_is_escaped(tmp_path, exists):
    folder = tmp_path / "my\nphotos"
    if exists:
        folder.mkdir()
    assert "photos" in refusal(str(folder))
