"""A folder is split, its paired grayscale is skipped, and errors are reported."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import data.datasets.folder
import data.datasets.paired_grayscale
from data.datasets.folder import demo_images
from data.photos.read_rgb import read_rgb
from tests.data.datasets.found import (
    find_dataset,
    numbered,
    refusal,
    relative_names,
    skipped_counts,
    touch,
    used,
)

LEAST_COLOR = 2.0


def image(path, gray):
    """Writes a small image that depends only on its name, in color or in gray."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seed = sum(path.stem.encode("utf-8", "surrogateescape"))
    pixels = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype="uint8")
    colored = Image.fromarray(pixels).resize((16, 16), Image.Resampling.NEAREST)
    (colored.convert("L").convert("RGB") if gray else colored).save(path)


def images(folder, names, gray=False):
    for name in names:
        image(folder / name, gray)


def find(folder, share=0.05, least_color=LEAST_COLOR, seed=0):
    return find_dataset(
        str(folder), validation_share=share, minimum_colorfulness=least_color, seed=seed
    )


def paired(folder, names, color="color", gray="gray"):
    images(folder / color, names)
    images(folder / gray, names, gray=True)


# --- the split ---------------------------------------------------------------------------------


@pytest.mark.parametrize("validation", ["validation", "val"])
def test_subfolders_for_training_and_validation_are_the_split(tmp_path, validation):
    touch(tmp_path, ["train/a.jpg", "train/deep/b.jpg", f"{validation}/c.jpg"])
    found = find(tmp_path, share=0.9)
    assert relative_names(found.training, tmp_path) == ["train/a.jpg", "train/deep/b.jpg"]
    assert relative_names(found.validation, tmp_path) == [f"{validation}/c.jpg"]
    assert skipped_counts(found) == {}


def test_subfolders_are_the_split_even_with_a_share_of_zero(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg"])
    assert relative_names(find(tmp_path, share=0.0).validation, tmp_path) == ["val/b.jpg"]


def test_images_outside_the_subfolders_are_skipped_and_counted(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg", "test/c.jpg", "d.jpg", "train.jpg"])
    found = find(tmp_path)
    assert used(found, tmp_path) == ["train/a.jpg", "val/b.jpg"]
    assert skipped_counts(found) == {"outside train and val": 3}


def test_subfolder_validation_is_preferred_to_val(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg", "validation/c.jpg"])
    found = find(tmp_path)
    assert used(found, tmp_path) == ["train/a.jpg", "validation/c.jpg"]
    assert skipped_counts(found) == {"outside train and validation": 1}


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
    found = find(tmp_path)
    shown = [name for name in names if name.endswith(".jpg") and "/." not in name]
    assert used(found, tmp_path) == sorted(shown)
    assert 1 <= len(found.validation) <= 5
    assert skipped_counts(found) == {}


@pytest.mark.parametrize(
    ("training", "judged"),
    [
        *(("train", "test"), ("train", "valid"), ("Train", "Validation"), ("TRAINING", "Testing")),
        *(("training_set", "test_set"), ("train2017", "val2017"), ("train-images", "dev")),
        *(("dataset/train", "dataset/test"), ("images/training", "images/validation")),
    ],
)
def test_folders_tell_the_split(tmp_path, training, judged):
    touch(tmp_path, numbered(9, f"{training}/cats/") + numbered(3, f"{judged}/"))
    found = find(tmp_path)
    assert relative_names(found.training, tmp_path) == numbered(9, f"{training}/cats/")
    assert relative_names(found.validation, tmp_path) == numbered(3, f"{judged}/")
    names = [os.path.basename(name) for name in (training, judged)]
    assert found.notes == (f"learns from {names[0]}, is judged by {names[1]}",)
    assert not found.warnings


def test_test_images_are_left_untouched_where_others_are_judged_by(tmp_path):
    touch(tmp_path, numbered(9, "train/") + numbered(3, "valid/") + numbered(4, "test/"))
    found = find(tmp_path)
    assert len(found.training) == 9
    assert len(found.validation) == 3
    assert found.notes == ("learns from train, is judged by valid; test is left untouched",)
    assert skipped_counts(found) == {"outside train and valid": 4}


def test_splits_of_classes_are_joined(tmp_path):
    parts = [f"{name}/{side}/" for name in ("cats", "dogs") for side in ("test", "train")]
    touch(tmp_path, [path for part in parts for path in numbered(3, part)])
    found = find(tmp_path)
    assert relative_names(found.training, tmp_path) == [
        *numbered(3, "cats/train/"),
        *numbered(3, "dogs/train/"),
    ]
    assert len(found.validation) == 6


@pytest.mark.parametrize("name", ["test", "my_test", "Val", "test_color"])
def test_unclear_test_folders_are_warned_of(tmp_path, name):
    touch(tmp_path, numbered(20) + numbered(3, f"{name}/"))
    found = find(tmp_path)
    assert len(used(found, tmp_path)) == 23
    [warning] = found.warnings
    assert warning.startswith(f"3 images in folders called {name} are split like all others")


@pytest.mark.parametrize("name", ["contest", "latest", "Val d'Isere", "medieval"])
def test_other_folders_are_not_warned_of(tmp_path, name):
    touch(tmp_path, numbered(20) + numbered(3, f"{name}/"))
    assert find(tmp_path).warnings == ()


def test_sides_of_cyclegan_are_split_and_warned_of(tmp_path):
    sides = [f"{part}{side}" for part in ("test", "train") for side in "AB"]
    touch(tmp_path, [path for side in sides for path in numbered(3, f"{side}/{side}")])
    found = find(tmp_path)
    assert len(found.training) == len(found.validation) == 6
    [warning] = found.warnings
    assert "give that folder alone, such as trainB" in warning


def test_other_files_are_counted(tmp_path):
    touch(tmp_path, numbered(3) + ["a.txt", "deep/b.TXT", "c.mov"])
    assert find(tmp_path).notes == ("3 other files were passed over: 2 .txt, 1 .mov",)


def test_split_is_complete_whatever_the_names(tmp_path):
    names = ["a b.jpg", "größe/日本.jpg", "#1:[a]*?.jpg", "\udcff.jpg", "x\udcfe/line\nbreak.jpg"]
    touch(tmp_path, names)
    assert used(find(tmp_path), tmp_path) == sorted(names)


@pytest.mark.parametrize("name", ["[photos]", "*", "größe", "\udcff", "two words", "a:b", "#1"])
def test_folder_is_found_whatever_its_name(tmp_path, name):
    touch(tmp_path / name, numbered(5))
    found = find(tmp_path / name)
    assert used(found, tmp_path / name) == numbered(5)
    assert found.name == str(tmp_path / name)


def test_split_does_not_depend_on_the_path_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [Path("here"), tmp_path / "b" / "there", Path("./here/../here")]
    sides = []
    for folder in folders:
        touch(folder, numbered(100) + numbered(100, "deep/"))
        sides.append(relative_names(find(folder, 0.2).validation, folder))
    assert sides[0] == sides[1] == sides[2]


def test_split_depends_on_the_seed(tmp_path):
    touch(tmp_path, numbered(100))
    sides = [relative_names(find(tmp_path, 0.2, seed=seed).validation, tmp_path) for seed in (1, 2)]
    assert sides[0] != sides[1]


def test_images_have_no_labels(tmp_path):
    touch(tmp_path, ["cats/a.jpg", "dogs/b.jpg"])
    found = find(tmp_path)
    assert found.training.classes is None
    assert found.training.label(0) == -1


def test_linked_folder_is_used(tmp_path):
    touch(tmp_path / "elsewhere", numbered(3))
    (tmp_path / "photos").symlink_to("elsewhere", target_is_directory=True)
    assert used(find(tmp_path / "photos"), tmp_path / "photos") == numbered(3)


def test_broken_link_with_the_name_of_an_image_is_found(tmp_path):
    touch(tmp_path, numbered(3))
    (tmp_path / "b.jpg").symlink_to("nowhere.jpg")
    assert used(find(tmp_path), tmp_path) == [*numbered(3), "b.jpg"]


def test_nothing_is_decoded(tmp_path, monkeypatch):
    names = numbered(5, "train/cats/") + numbered(9, "train/dogs/") + numbered(3, "val/")
    images(tmp_path, [name.replace(".jpg", ".png") for name in names])
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    # In train, images are read, because cats and dogs have the same names and may be paired.
    assert len(find(tmp_path / "val").training) == 2
    assert opened == []


# --- paired grayscale --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("color", "gray"),
    [("color", "gray"), ("train_color", "train_black"), ("y", "x"), ("größe #1", "[a] b:c")],
)
def test_paired_grayscale_is_skipped(tmp_path, color, gray):
    paired(tmp_path, numbered(20, suffix=".png"), color, gray)
    found = find(tmp_path)
    assert used(found, tmp_path) == numbered(20, f"{color}/", ".png")
    assert skipped_counts(found) == {f"no color, paired with {color}": 20}


def test_paired_grayscale_of_a_test_set_with_the_same_names_is_skipped(tmp_path):
    paired(tmp_path, numbered(20, "image", ".png"), "train_color", "train_black")
    paired(tmp_path, numbered(7, "image", ".png"), "test_color", "test_black")
    found = find(tmp_path)
    expected = numbered(7, "test_color/image", ".png") + numbered(20, "train_color/image", ".png")
    assert used(found, tmp_path) == sorted(expected)
    assert sum(found.skipped.values()) == 27


@pytest.mark.parametrize("count", [3, 20])
def test_counts_are_right_if_two_folders_are_paired_with_the_same_one(tmp_path, count):
    names = numbered(count, "image", ".png")
    paired(tmp_path, names, "train_color", "train_black")
    paired(tmp_path, names, "test_color", "test_black")
    found = find(tmp_path)
    assert len(found.training) + len(found.validation) == 2 * count
    assert sum(found.skipped.values()) == 2 * count


def test_paired_folders_may_have_other_suffixes(tmp_path):
    images(tmp_path, numbered(20, "color/", ".png"))
    images(tmp_path, numbered(20, "gray/", ".JPG"), gray=True)
    found = find(tmp_path)
    assert used(found, tmp_path) == numbered(20, "color/", ".png")


def test_color_may_have_more_images_than_gray(tmp_path):
    paired(tmp_path, numbered(20, suffix=".png"))
    images(tmp_path, numbered(9, "color/more", ".png") + ["color/0000.jpg"])
    found = find(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 20}
    assert len(found.training) + len(found.validation) == 30


def test_paired_folders_are_found_deep(tmp_path):
    paired(tmp_path / "b" / "deep", ["x/1.png", "y/1.png", "y/z/2.png"])
    images(tmp_path, ["a/1.png", "top.png"])
    found = find(tmp_path)
    assert used(found, tmp_path) == sorted(
        ["a/1.png", "top.png"]
        + [f"b/deep/color/{name}" for name in ("x/1.png", "y/1.png")]
        + ["b/deep/color/y/z/2.png"]
    )
    assert skipped_counts(found) == {"no color, paired with b/deep/color": 3}


def test_paired_folders_are_skipped_in_training_and_validation(tmp_path):
    for side, count in (("train", 6), ("val", 3)):
        paired(tmp_path / side, numbered(count, side, ".png"))
    found = find(tmp_path)
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
    found = find(tmp_path)
    assert used(found, tmp_path) == sorted(f"color/{name}" for name in names)


def test_folder_whose_name_begins_like_that_of_paired_grayscale_is_used(tmp_path):
    paired(tmp_path, numbered(5, suffix=".png"))
    images(tmp_path, numbered(3, "gray cats/cat", ".png") + ["gray.png"])
    found = find(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 5}
    assert len(used(found, tmp_path)) == 9


@pytest.mark.parametrize("gray", [False, True])
def test_folders_that_look_alike_are_not_paired(tmp_path, gray):
    images(tmp_path, numbered(5, "a/", ".png") + numbered(5, "b/", ".png"), gray)
    found = find(tmp_path)
    assert len(used(found, tmp_path)) == 10
    assert skipped_counts(found) == {}


def test_gray_folder_with_other_names_is_not_paired(tmp_path):
    images(tmp_path, numbered(5, "color/", ".png"))
    images(tmp_path, numbered(5, "gray/other", ".png"), gray=True)
    assert skipped_counts(find(tmp_path)) == {}


@pytest.mark.parametrize("other", ["a.b.png", "a..png", "A.png", "ab.png", "a/a.png"])
def test_gray_image_with_almost_the_same_name_is_not_paired(tmp_path, other):
    images(tmp_path, [f"color/{other}"])
    images(tmp_path, ["gray/a.png"], gray=True)
    assert skipped_counts(find(tmp_path)) == {}


def test_gray_image_without_a_partner_is_used(tmp_path):
    paired(tmp_path, numbered(5, suffix=".png"))
    images(tmp_path, ["gray/more.png"], gray=True)
    found = find(tmp_path)
    assert skipped_counts(found) == {"no color, paired with color": 5}
    assert f"{tmp_path}/gray/more.png" in {*found.training.names(), *found.validation.names()}


@pytest.mark.parametrize("number", [0, 5, 15])
def test_one_color_image_does_not_hide_that_the_others_are_gray(tmp_path, number):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    image(tmp_path / "gray" / names[number], gray=False)
    assert skipped_counts(find(tmp_path)) == {"no color, paired with color": 16}


@pytest.mark.parametrize("number", [0, 5, 15])
def test_one_missing_partner_does_not_hide_the_others(tmp_path, number):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    (tmp_path / "color" / names[number]).unlink()
    assert skipped_counts(find(tmp_path)) == {"no color, paired with color": 15}


@pytest.mark.parametrize("colored", [5, 16])
def test_folder_with_many_color_images_is_not_paired_grayscale(tmp_path, colored):
    names = numbered(16, suffix=".png")
    paired(tmp_path, names)
    for name in names[:colored]:
        image(tmp_path / "gray" / name, gray=False)
    assert skipped_counts(find(tmp_path)) == {}


def test_least_color_says_what_is_gray(tmp_path):
    images(tmp_path, ["color/a.png"])
    (tmp_path / "pale").mkdir()
    pale = np.full((16, 16, 3), 100, "uint8")
    pale[..., 2] += 20  # a colorfulness of 6
    Image.fromarray(pale).save(tmp_path / "pale" / "a.png")
    assert skipped_counts(find(tmp_path, least_color=5.0)) == {}
    assert skipped_counts(find(tmp_path, least_color=7.0)) == {"no color, paired with color": 1}
    assert skipped_counts(find(tmp_path, least_color=0.0)) == {}


def test_damaged_images_among_paired_ones_do_not_matter(tmp_path):
    paired(tmp_path, numbered(6, suffix=".png"))
    (tmp_path / "color" / "0000.png").write_bytes(b"")
    (tmp_path / "gray" / "0003.png").write_bytes(b"no image")
    assert skipped_counts(find(tmp_path)) == {"no color, paired with color": 6}


def test_folder_of_unreadable_images_is_not_paired(tmp_path):
    images(tmp_path, numbered(5, "color/", ".png"))
    touch(tmp_path, numbered(5, "damaged/", ".png"))
    assert skipped_counts(find(tmp_path)) == {}


@pytest.mark.parametrize("count", [31, 200])
def test_only_a_few_images_are_read(tmp_path, monkeypatch, count):
    paired(tmp_path, numbered(count, suffix=".png"))
    reads = []

    def recording_read(path, short_side=None):
        reads.append((path, short_side))
        return read_rgb(path, short_side)

    monkeypatch.setattr(data.datasets.paired_grayscale, "read_rgb", recording_read)
    assert skipped_counts(find(tmp_path)) == {"no color, paired with color": count}
    assert 0 < len(reads) <= 48
    assert all(side is not None for _, side in reads)


@pytest.mark.parametrize(("count", "skipped"), [(8, 1), (9, 0)])
def test_many_folders_are_classes_and_not_paired(tmp_path, count, skipped):
    images(tmp_path, [f"class{number}/0.png" for number in range(1, count)])
    images(tmp_path, ["class0/0.png"], gray=True)
    assert sum(find(tmp_path).skipped.values()) == skipped


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
