"""Tests of the images of an evaluation: those held out or all, and the predictions for them."""

import os
import shutil
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from data.datasets.image_files import ImageFiles
from data.image_io import write_rgb
from tests.jobs.evaluate.evaluated import (
    ALL,
    error_message,
    evaluated,
    held_out,
    names_of,
    solid,
    trained,
)

PALE = (120, 121, 120)


def by_name(images):
    """The true image and the prediction of each folder, by the name of the image."""
    return {
        name: [pixels[number] for pixels in (batch.rgb255, *batch.predictions)]
        for batch in images.batches()
        for number, name in enumerate(batch.names)
    }


def square(path):
    """The central square of an image at its own size."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    top, left = ((side - min(pixels.shape[:2])) // 2 for side in pixels.shape[:2])
    return pixels[top : pixels.shape[0] - top, left : pixels.shape[1] - left]


# --- datasets -----------------------------------------------------------------------------------


def test_all_images_of_a_folder_without_a_split_are_evaluated(images):
    whole = evaluated("--dataset", "images")
    assert sorted(names_of(whole)) == ALL
    assert (len(whole), whole.has_truth) == (10, True)
    assert whole.description == "images"


@pytest.mark.parametrize("name", ["validation", "val"])
def test_only_the_validation_images_of_a_split_folder_are_evaluated(here, name):
    for number in range(4):
        solid(here / "set" / "train" / f"{number}.png")
        solid(here / "set" / name / f"held{number}.png")
    images = evaluated("--dataset", "set")
    assert sorted(names_of(images)) == [f"held{number}.png" for number in range(4)]
    assert images.description == "set (its validation images)"


def test_the_validation_images_of_a_published_dataset_are_evaluated(tiny_imagenet):
    classes = {"n01440764": ("tench", (190, 90, 80)), "n02102040": ("spaniel", (80, 100, 190))}
    names = names_of(evaluated("--dataset", tiny_imagenet("tiny", classes)))
    assert sorted(names) == ["val_n01440764.JPEG", "val_n02102040.JPEG"]


@pytest.mark.parametrize("seed", [0, 5])
def test_an_explicit_validation_share_gives_the_split_of_training(images, seed):
    options = ("--dataset", "images", "--validation_share", "0.4", "--seed", str(seed))
    names = sorted(names_of(evaluated(*options)))
    assert names == held_out("images", 0.4, seed)
    assert 0 < len(names) < 10


def test_several_datasets_are_evaluated_together(images, here):
    for number in range(3):
        solid(here / "more" / f"more{number}.png")
    both = evaluated("--dataset", "images", "more")
    assert sorted(names_of(both)) == [*ALL, "more0.png", "more1.png", "more2.png"]
    assert both.description == "images, more"


@pytest.mark.parametrize("again", ["images", "./images", "images/../images"])
def test_a_dataset_that_is_named_twice_is_evaluated_once(images, again):
    assert sorted(names_of(evaluated("--dataset", "images", again))) == ALL


def test_training_images_are_never_evaluated_instead_of_validation_images(here):
    for number in range(3):
        solid(here / "one" / "train" / f"one{number}.png")
        solid(here / "two" / "train" / f"two{number}.png")
        solid(here / "one" / "validation" / f"held{number}.png")
    (here / "two" / "validation").symlink_to(here / "one" / "validation")
    names = names_of(evaluated("--dataset", "one", "two"))
    assert sorted(names) == ["held0.png", "held1.png", "held2.png"]


def test_the_sheet_of_an_earlier_evaluation_is_not_evaluated(images, monkeypatch):
    monkeypatch.chdir(images)
    solid(images / "results" / "evaluation.png")
    assert sorted(names_of(evaluated("--dataset", "."))) == ALL


def test_the_order_is_random_and_depends_on_the_seed(images):
    orders = [names_of(evaluated("--dataset", "images", "--seed", seed)) for seed in "334"]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != ALL != orders[2]


def test_every_pass_yields_the_central_squares_in_the_same_order(here):
    random = np.random.default_rng(0)
    for number in range(7):
        size = (16, 20 + number) if number % 2 else (20 + number, 16)
        write_rgb(here / "set" / f"{number}.png", random.integers(0, 256, (*size, 3), "uint8"))
    images = evaluated("--dataset", "set", "--batch_size", "3")
    first, second = list(images.batches()), list(images.batches())
    assert [len(batch.rgb255) for batch in first] == [3, 3, 1]
    for one, other in zip(first, second, strict=True):
        assert one.names == other.names
        assert one.rgb255.dtype == np.uint8
        np.testing.assert_array_equal(one.rgb255, other.rgb255)
        for name, pixels in zip(one.names, one.rgb255, strict=True):
            # Half a pixel is cropped where the border is odd.
            wanted = square(here / "set" / name)[:16, :16]
            np.testing.assert_array_equal(pixels, wanted)


@pytest.mark.parametrize("resolution", [16, 17, 33])
def test_images_have_the_requested_resolution(here, resolution):
    solid(here / "set" / "small.png", size=(10, 12))
    solid(here / "set" / "large.png", size=(90, 60))
    [batch] = evaluated("--dataset", "set", "--resolution", str(resolution)).batches()
    assert batch.rgb255.shape == (2, resolution, resolution, 3)
    assert np.unique(batch.rgb255.reshape(-1, 3), axis=0).tolist() == [[200, 90, 80]]


@pytest.mark.parametrize("arguments", [[], ["--validation_share", "0.5"]])
def test_the_only_image_of_a_dataset_is_evaluated(here, arguments):
    solid(here / "set" / "a.png")
    assert names_of(evaluated("--dataset", "set", *arguments)) == ["a.png"]


def test_images_are_read_lazily(here, monkeypatch):
    count = 600
    for number in range(count):
        solid(here / "set" / f"{number}.png", size=(4, 4))
    read = []
    read_rgb = ImageFiles.read_rgb
    monkeypatch.setattr(
        ImageFiles, "read_rgb", lambda *arguments: read.append(1) or read_rgb(*arguments)
    )
    batches = evaluated("--dataset", "set", "--batch_size", "2").batches()
    next(batches)
    assert len(read) < count / 2
    batches.close()


# --- --max_images --------------------------------------------------------------------------------


def test_max_images_evaluates_the_first_images_of_the_order(images):
    options = ("--dataset", "images", "--seed", "2")
    few = evaluated(*options, "--max_images", "4")
    assert len(few) == 4
    assert names_of(few) == names_of(evaluated(*options))[:4]
    assert sorted(names_of(evaluated(*options, "--max_images", "99"))) == ALL


def test_max_images_selects_from_the_held_out_images(images):
    weights = trained("mine", "images", share=0.5)
    names = names_of(evaluated("--dataset", "images", "--weights", weights, "--max_images", "2"))
    assert len(names) == 2
    assert set(names) < set(held_out("images", 0.5, 0))


def test_max_images_selects_from_the_images_that_every_folder_has(images, here):
    shutil.copytree(images, here / "theirs")
    for name in ALL[3:]:
        (here / "theirs" / name).unlink()
    few = evaluated("--dataset", "images", "--predictions", "theirs", "--max_images", "2")
    assert set(names_of(few)) < set(ALL[:3])
    assert len(few) == 2


# --- predictions ---------------------------------------------------------------------------------


def test_predictions_are_matched_with_their_images(here):
    random = np.random.default_rng(0)
    for number in range(6):
        pixels = random.integers(0, 256, (16, 16, 3), "uint8")
        write_rgb(here / "set" / f"{number}.png", pixels)
        write_rgb(here / "dark theirs" / f"{number}.BMP", pixels // 2)
        write_rgb(here / "deep" / "er" / f"{number}.tif", 255 - pixels)
    options = ("--batch_size", "4", "--predictions", "dark theirs", "deep")
    images = evaluated("--dataset", "set", *options)
    for name, (true, dark, negative) in by_name(images).items():
        np.testing.assert_array_equal(true, square(here / "set" / name))
        np.testing.assert_array_equal(dark, true // 2)
        np.testing.assert_array_equal(negative, 255 - true)


def test_predictions_of_another_size_are_resized(here):
    solid(here / "set" / "a.png", size=(40, 60))
    solid(here / "theirs" / "a.png", color=(10, 20, 30), size=(256, 384))
    [(true, theirs)] = by_name(evaluated("--dataset", "set", "--predictions", "theirs")).values()
    assert true.shape == theirs.shape == (16, 16, 3)
    np.testing.assert_array_equal(theirs, np.full((16, 16, 3), (10, 20, 30)))


def test_images_that_one_folder_lacks_are_skipped_in_every_row(images, here, capsys):
    for folder, missing in (("one", ALL[:1]), ("two", ALL[5:])):
        shutil.copytree(images, here / folder)
        for name in missing:
            (here / folder / name).unlink()
    both = evaluated("--dataset", "images", "--predictions", "one", "two")
    assert sorted(names_of(both)) == ALL[1:5]
    assert len(both) == 4
    first, second = capsys.readouterr().err.splitlines()
    assert first == "warning: one lacks 1 of 10 images (0.png): skipped in every row"
    assert second.startswith("warning: two lacks 5 of 10 images (")
    assert second.endswith(".png ...): skipped in every row")


def test_folders_without_an_image_in_common_are_a_one_line_error(images, here):
    for folder, names in (("one", ALL[:5]), ("two", ALL[5:])):
        for name in names:
            solid(here / folder / name)
    message = error_message("--dataset", "images", "--predictions", "one", "two")
    assert message == (
        "--predictions one two: no image is in all of these folders; evaluate them one at a time"
    )


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("absent", "--predictions absent: No such file or directory; give a folder"),
        ("file.png", "--predictions file.png: Not a directory; give a folder"),
        ("", "--predictions : No such file or directory"),
        ("absent\nline", r"--predictions absent\nline: No such file"),
        ("empty", "--predictions empty: no file in it is named like one of the images"),
        ("others", "; the first file is fake_0.png)"),
        ("alike", "are both named like"),
    ],
)
def test_invalid_predictions_are_a_one_line_error(images, here, folder, words):
    (here / "empty").mkdir()
    (here / "file.png").write_bytes((images / "0.png").read_bytes())
    solid(here / "others" / "fake_0.png")
    solid(here / "alike" / "0.tif")
    solid(here / "alike" / "0.bmp")
    assert words in error_message("--dataset", "images", "--predictions", folder)
    assert not (here / "logs").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_odd_names_are_found_in_every_folder(here, capsys):
    names = [os.fsdecode(name) for name in (b"line\nbreak", b"\xff\xfe", b"a b", b"m\xc3\xbcller")]
    for number, name in enumerate(names):
        solid(here / "set" / f"{name}.png", color=(200, 50 * number, 80))
        if number:
            solid(here / "theirs" / f"{name}.bmp", color=(100, 50 * number, 80))
    found = by_name(evaluated("--dataset", "set", "--predictions", "theirs"))
    assert sorted(found) == sorted(f"{name}.png" for name in names[1:])
    for true, theirs in found.values():
        np.testing.assert_array_equal(true - theirs, np.full_like(true, (100, 0, 0)))
    assert capsys.readouterr().err == (
        r"warning: theirs lacks 1 of 4 images (line\nbreak.png): skipped in every row" "\n"
    )


# --- unusable images -----------------------------------------------------------------------------


def test_predictions_that_cannot_be_compared_are_skipped_in_every_row(images, here):
    shutil.copytree(images, here / "good")
    shutil.copytree(images, here / "theirs")
    (here / "theirs" / "0.png").write_text("no image")
    solid(here / "theirs" / "1.png", size=(24, 20))
    both = evaluated("--dataset", "images", "--predictions", "good", "theirs")
    found = by_name(both)
    assert sorted(found) == ALL[2:]
    assert {len(arrays) for arrays in found.values()} == {3}
    assert len(both.skipped) == 2
    assert "2 of 10 skipped (" in both.skipped.summary()
    listed = (here / "logs" / "skipped_images.tsv").read_text()
    assert "theirs/0.png\tunreadable: not an image" in listed
    assert "theirs/1.png\tanother shape: width / height 0." in listed


def test_true_images_without_color_are_skipped_and_pale_predictions_are_not(images, here):
    shutil.copytree(images, here / "theirs")
    solid(images / "0.png", PALE)
    solid(here / "theirs" / "1.png", PALE)
    pale = evaluated("--dataset", "images", "--predictions", "theirs")
    assert sorted(names_of(pale)) == ALL[1:]
    assert "1 of 10 skipped (1 no color)" in pale.skipped.summary()


def test_more_unusable_images_than_usable_ones_stop_the_evaluation(images, here):
    (here / "theirs").mkdir()
    for name in ALL:
        (here / "theirs" / name).write_text("no image")
    theirs = evaluated("--dataset", "images", "--predictions", "theirs", log_dir=here / "logs")
    with pytest.raises(tf.errors.OpError):
        names_of(theirs)
    failure = str(theirs.skipped.failure)
    assert failure.startswith("more than half of the images cannot be used: ")
    assert "unreadable), listed in " in failure
    assert "; look at the list; " in failure


def test_a_prediction_that_was_repaired_is_evaluated_again(images, here):
    shutil.copytree(images, here / "theirs")
    options = ("--dataset", "images", "--predictions", "theirs")
    (here / "theirs" / "0.png").write_text("no image")
    assert sorted(names_of(evaluated(*options))) == ALL[1:]
    shutil.copy(images / "0.png", here / "theirs" / "0.png")
    assert sorted(names_of(evaluated(*options))) == ALL


def test_a_shape_that_is_wrong_for_one_dataset_is_not_wrong_for_another(images, here):
    shutil.copytree(images, here / "theirs")
    shutil.copytree(images, here / "turned")
    solid(here / "turned" / "0.png", size=(24, 20))
    for folder, names in (("turned", ALL[1:]), ("images", ALL)):
        options = ("--dataset", folder, "--predictions", "theirs")
        assert sorted(names_of(evaluated(*options))) == names


# --- without truth -------------------------------------------------------------------------------


def test_photographs_are_evaluated_in_the_order_of_their_names(images, here):
    solid(here / "aunt.jpg", PALE)
    photographs = evaluated("--images", "images", "aunt.jpg", "--batch_size", "4")
    assert names_of(photographs) == [*ALL, "aunt.jpg"]
    assert not photographs.has_truth
    assert photographs.description == "images, aunt.jpg (without ground truth)"
    assert len(evaluated("--images", "images", "--max_images", "3")) == 3


def test_photographs_may_have_predictions(images, here):
    for name in ALL[:7]:
        solid(here / "theirs" / name)
    pairs = by_name(evaluated("--images", "images", "--predictions", "theirs"))
    assert list(pairs) == ALL[:7]
    for _, theirs in pairs.values():
        np.testing.assert_array_equal(theirs, np.full((16, 16, 3), (200, 90, 80)))


def test_demo_photographs_may_be_evaluated_without_truth():
    assert "chelsea.png" in names_of(evaluated("--images", "demo"))


def test_a_photograph_that_is_named_twice_is_evaluated_once(images):
    assert names_of(evaluated("--images", "images", "images/0.png", "./images", ".")) == ALL


def test_a_folder_that_cannot_be_read_is_reported_and_the_others_are_evaluated(
    closed, images, capsys
):
    assert names_of(evaluated("--images", "in", "images")) == ALL
    assert capsys.readouterr().err == "warning: in/closed: Permission denied: not searched\n"


@pytest.mark.parametrize("predictions", [[], ["--predictions", "images"]])
def test_a_folder_without_readable_photographs_is_a_one_line_error(closed, images, predictions):
    assert error_message("--images", "in", *predictions).startswith("--images in: no images found")
