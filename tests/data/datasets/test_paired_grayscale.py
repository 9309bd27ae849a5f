"""A folder in gray beside the same one in color is skipped, and no other."""

import numpy as np
import pytest
from PIL import Image

import data.datasets.folder
import data.datasets.paired_grayscale
from data.photos.read_rgb import read_rgb
from tests.data.datasets.found import (
    find_folder,
    numbered,
    relative_names,
    skipped_counts,
    touch,
    used,
    write_image,
    write_images,
)


def paired(folder, names, color="color", gray="gray"):
    write_images(folder / color, names)
    write_images(folder / gray, names, gray=True)


@pytest.mark.parametrize(
    ("color", "gray"),
    [("color", "gray"), ("train_color", "train_black"), ("y", "x"), ("größe #1", "[a] b:c")],
)
def test_paired_grayscale_is_skipped(tmp_path, color, gray):
    paired(tmp_path, numbered(20, suffix=".png"), color, gray)
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == numbered(20, f"{color}/", ".png")
    assert skipped_counts(found) == {f"no color, paired with {color}": 20}


def test_paired_grayscale_of_a_test_set_with_the_same_names_is_skipped(tmp_path):
    paired(tmp_path, numbered(20, "image", ".png"), "train_color", "train_black")
    paired(tmp_path, numbered(7, "image", ".png"), "test_color", "test_black")
    found = find_folder(tmp_path)
    expected = numbered(7, "test_color/image", ".png") + numbered(20, "train_color/image", ".png")
    assert used(found, tmp_path) == sorted(expected)
    assert sum(found.skipped.values()) == 27


@pytest.mark.parametrize("count", [3, 20])
def test_counts_are_right_if_two_folders_are_paired_with_the_same_one(tmp_path, count):
    names = numbered(count, "image", ".png")
    paired(tmp_path, names, "train_color", "train_black")
    paired(tmp_path, names, "test_color", "test_black")
    found = find_folder(tmp_path)
    assert len(found.training) + len(found.validation) == 2 * count
    assert sum(found.skipped.values()) == 2 * count


def test_paired_folders_may_have_other_suffixes(tmp_path):
    write_images(tmp_path, numbered(20, "color/", ".png"))
    write_images(tmp_path, numbered(20, "gray/", ".JPG"), gray=True)
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == numbered(20, "color/", ".png")


def test_color_may_have_more_images_than_gray(tmp_path):
    paired(tmp_path, numbered(20, suffix=".png"))
    write_images(tmp_path, numbered(9, "color/more", ".png") + ["color/0000.jpg"])
    found = find_folder(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 20}
    assert len(found.training) + len(found.validation) == 30


def test_paired_folders_are_found_deep(tmp_path):
    paired(tmp_path / "b" / "deep", ["x/1.png", "y/1.png", "y/z/2.png"])
    write_images(tmp_path, ["a/1.png", "top.png"])
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == sorted(
        ["a/1.png", "top.png"]
        + [f"b/deep/color/{name}" for name in ("x/1.png", "y/1.png")]
        + ["b/deep/color/y/z/2.png"]
    )
    assert skipped_counts(found) == {"no color, paired with b/deep/color": 3}


def test_paired_folders_are_skipped_in_training_and_validation(tmp_path):
    for side, count in (("train", 6), ("val", 3)):
        paired(tmp_path / side, numbered(count, side, ".png"))
    found = find_folder(tmp_path)
    assert relative_names(found.training, tmp_path) == numbered(6, "train/color/train", ".png")
    assert relative_names(found.validation, tmp_path) == numbered(3, "val/color/val", ".png")
    assert skipped_counts(found) == {
        "no color, paired with train/color": 6,
        "no color, paired with val/color": 3,
    }


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "a.b.png"],
        ["photo.png", "photo.edited.png", "photo.2.png"],
        ["a b.png", "größe.png", "#1:[a]*?.png", "\udcff.png"],
        ["1.png", "10.png", "1-1.png", "1 1.png", "1/1.png"],
        ["a.jpg.png", "b..png"],
    ],
    ids=ascii,
)
def test_paired_folders_are_found_whatever_their_names(tmp_path, names):
    paired(tmp_path, names)
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == sorted(f"color/{name}" for name in names)


def test_folder_whose_name_begins_like_that_of_paired_grayscale_is_used(tmp_path):
    paired(tmp_path, numbered(5, suffix=".png"))
    write_images(tmp_path, numbered(3, "gray cats/cat", ".png") + ["gray.png"])
    found = find_folder(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 5}
    assert len(used(found, tmp_path)) == 9


@pytest.mark.parametrize("gray", [False, True])
def test_folders_that_look_alike_are_not_paired(tmp_path, gray):
    write_images(tmp_path, numbered(5, "a/", ".png") + numbered(5, "b/", ".png"), gray)
    found = find_folder(tmp_path)
    assert len(used(found, tmp_path)) == 10
    assert skipped_counts(found) == {}


def test_gray_folder_with_other_names_is_not_paired(tmp_path):
    write_images(tmp_path, numbered(5, "color/", ".png"))
    write_images(tmp_path, numbered(5, "gray/other", ".png"), gray=True)
    assert skipped_counts(find_folder(tmp_path)) == {}


@pytest.mark.parametrize("other", ["a.b.png", "a..png", "A.png", "ab.png", "a/a.png"])
def test_gray_image_with_almost_the_same_name_is_not_paired(tmp_path, other):
    write_images(tmp_path, [f"color/{other}"])
    write_images(tmp_path, ["gray/a.png"], gray=True)
    assert skipped_counts(find_folder(tmp_path)) == {}


def test_gray_image_without_a_partner_is_used(tmp_path):
    paired(tmp_path, numbered(5, suffix=".png"))
    write_images(tmp_path, ["gray/more.png"], gray=True)
    found = find_folder(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 5}
    assert f"{tmp_path}/gray/more.png" in {*found.training.names(), *found.validation.names()}


@pytest.mark.parametrize("number", [0, 5, 15])
def test_one_color_image_does_not_hide_that_the_others_are_gray(tmp_path, number):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    write_image(tmp_path / "gray" / names[number], gray=False)
    assert skipped_counts(find_folder(tmp_path)) == {"no color, paired with color": 16}


@pytest.mark.parametrize("number", [0, 5, 15])
def test_one_missing_partner_does_not_hide_the_others(tmp_path, number):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    (tmp_path / "color" / names[number]).unlink()
    assert skipped_counts(find_folder(tmp_path)) == {"no color, paired with color": 15}


@pytest.mark.parametrize("colored", [5, 16])
def test_folder_with_many_color_images_is_not_paired_grayscale(tmp_path, colored):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    for name in names[:colored]:
        write_image(tmp_path / "gray" / name, gray=False)
    assert skipped_counts(find_folder(tmp_path)) == {}


def test_least_color_says_what_is_gray(tmp_path):
    write_images(tmp_path, ["color/a.png"])
    (tmp_path / "pale").mkdir()
    pale = np.full((16, 16, 3), 100, "uint8")
    pale[..., 2] += 20  # a colorfulness of 6
    Image.fromarray(pale).save(tmp_path / "pale" / "a.png")
    assert skipped_counts(find_folder(tmp_path, least_color=5.0)) == {}
    assert skipped_counts(find_folder(tmp_path, least_color=7.0)) == {
        "no color, paired with color": 1
    }
    assert skipped_counts(find_folder(tmp_path, least_color=0.0)) == {}


def test_damaged_images_among_paired_ones_do_not_matter(tmp_path):
    paired(tmp_path, numbered(6, suffix=".png"))
    (tmp_path / "color" / "0000.png").write_bytes(b"")
    (tmp_path / "gray" / "0003.png").write_bytes(b"no image")
    assert skipped_counts(find_folder(tmp_path)) == {"no color, paired with color": 6}


def test_folder_of_unreadable_images_is_not_paired(tmp_path):
    write_images(tmp_path, numbered(5, "color/", ".png"))
    touch(tmp_path, numbered(5, "damaged/", ".png"))
    assert skipped_counts(find_folder(tmp_path)) == {}


@pytest.mark.parametrize("count", [31, 200])
def test_only_a_few_images_are_read(tmp_path, monkeypatch, count):
    paired(tmp_path, numbered(count, suffix=".png"))
    reads = []

    def recording_read(path, short_side=None):
        reads.append((path, short_side))
        return read_rgb(path, short_side)

    monkeypatch.setattr(data.datasets.paired_grayscale, "read_rgb", recording_read)
    assert skipped_counts(find_folder(tmp_path)) == {"no color, paired with color": count}
    assert 0 < len(reads) <= 48
    assert all(side is not None for _, side in reads)


@pytest.mark.parametrize(("count", "skipped"), [(8, 1), (9, 0)])
def test_many_folders_are_classes_and_not_paired(tmp_path, count, skipped):
    write_images(tmp_path, [f"class{number}/0.png" for number in range(1, count)])
    write_images(tmp_path, ["class0/0.png"], gray=True)
    assert sum(find_folder(tmp_path).skipped.values()) == skipped
