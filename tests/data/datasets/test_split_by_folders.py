"""The names of subfolders tell which images are for training and which to judge by."""

import os

import pytest

from tests.data.datasets.found import (
    find_folder,
    numbered,
    relative_names,
    skipped_counts,
    touch,
    used,
)


@pytest.mark.parametrize("validation", ["validation", "val"])
def test_subfolders_for_training_and_validation_are_the_split(tmp_path, validation):
    touch(tmp_path, ["train/a.jpg", "train/deep/b.jpg", f"{validation}/c.jpg"])
    found = find_folder(tmp_path, share=0.9)
    assert relative_names(found.training, tmp_path) == ["train/a.jpg", "train/deep/b.jpg"]
    assert relative_names(found.validation, tmp_path) == [f"{validation}/c.jpg"]
    assert skipped_counts(found) == {}


def test_subfolders_are_the_split_even_with_a_share_of_zero(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg"])
    assert relative_names(find_folder(tmp_path, share=0.0).validation, tmp_path) == ["val/b.jpg"]


def test_images_outside_the_subfolders_are_skipped_and_counted(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg", "test/c.jpg", "d.jpg", "train.jpg"])
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == ["train/a.jpg", "val/b.jpg"]
    assert skipped_counts(found) == {"outside train and val": 3}


def test_subfolder_validation_is_preferred_to_val(tmp_path):
    touch(tmp_path, ["train/a.jpg", "val/b.jpg", "validation/c.jpg"])
    found = find_folder(tmp_path)
    assert used(found, tmp_path) == ["train/a.jpg", "validation/c.jpg"]
    assert skipped_counts(found) == {"outside train and validation": 1}


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
    found = find_folder(tmp_path)
    assert relative_names(found.training, tmp_path) == numbered(9, f"{training}/cats/")
    assert relative_names(found.validation, tmp_path) == numbered(3, f"{judged}/")
    names = [os.path.basename(name) for name in (training, judged)]
    assert found.notes == (f"learns from {names[0]}, is judged by {names[1]}",)
    assert not found.warnings


def test_test_images_are_left_untouched_where_others_are_judged_by(tmp_path):
    touch(tmp_path, numbered(9, "train/") + numbered(3, "valid/") + numbered(4, "test/"))
    found = find_folder(tmp_path)
    assert len(found.training) == 9
    assert len(found.validation) == 3
    assert found.notes == ("learns from train, is judged by valid; test is left untouched",)
    assert skipped_counts(found) == {"outside train and valid": 4}


def test_splits_of_classes_are_joined(tmp_path):
    parts = [f"{name}/{side}/" for name in ("cats", "dogs") for side in ("test", "train")]
    touch(tmp_path, [path for part in parts for path in numbered(3, part)])
    found = find_folder(tmp_path)
    assert relative_names(found.training, tmp_path) == [
        *numbered(3, "cats/train/"),
        *numbered(3, "dogs/train/"),
    ]
    assert len(found.validation) == 6


@pytest.mark.parametrize("name", ["test", "my_test", "Val", "test_color"])
def test_unclear_test_folders_are_warned_of(tmp_path, name):
    touch(tmp_path, numbered(20) + numbered(3, f"{name}/"))
    found = find_folder(tmp_path)
    assert len(used(found, tmp_path)) == 23
    [warning] = found.warnings
    assert warning.startswith(f"3 images in folders called {name} are split like all others")


@pytest.mark.parametrize("name", ["contest", "latest", "Val d'Isere", "medieval"])
def test_other_folders_are_not_warned_of(tmp_path, name):
    touch(tmp_path, numbered(20) + numbered(3, f"{name}/"))
    assert find_folder(tmp_path).warnings == ()


def test_sides_of_cyclegan_are_split_and_warned_of(tmp_path):
    sides = [f"{part}{side}" for part in ("test", "train") for side in "AB"]
    touch(tmp_path, [path for side in sides for path in numbered(3, f"{side}/{side}")])
    found = find_folder(tmp_path)
    assert len(found.training) == len(found.validation) == 6
    [warning] = found.warnings
    assert "give that folder alone, such as trainB" in warning
