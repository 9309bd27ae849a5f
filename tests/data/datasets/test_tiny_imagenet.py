"""Tiny ImageNet is read as it is published, and errors are reported."""

import shutil

import numpy as np
import pytest
from PIL import Image

from tests.data.datasets.found import find_dataset, refusal, skipped_counts

GOLDFISH, SALAMANDER, SNAIL = CLASSES = ("n01443537", "n01629819", "n01944390")


@pytest.fixture
def folder(tmp_path):
    """A dataset of three classes with two training images each, and of four validation images."""
    folder = tmp_path / "tiny-imagenet-200"
    for wordnet_id in CLASSES:
        for number in range(2):
            image(folder / "train" / wordnet_id / "images" / f"{wordnet_id}_{number}.JPEG")
        boxes = folder / "train" / wordnet_id / f"{wordnet_id}_boxes.txt"
        boxes.write_text(f"{wordnet_id}_0.JPEG\t0\t0\t63\t63\n")
    for number in range(4):
        image(folder / "val" / "images" / f"val_{number}.JPEG")
    annotate(folder, [SNAIL, GOLDFISH, SNAIL, SALAMANDER])
    (folder / "wnids.txt").write_text(f"{SNAIL}\n{GOLDFISH}\n{SALAMANDER}\n")
    (folder / "words.txt").write_text(
        f"n00001740\tentity\n{GOLDFISH}\tgoldfish, Carassius auratus\n"
        f"{SALAMANDER}\tEuropean fire salamander, Salamandra salamandra\n{SNAIL}\tsnail\n"
    )
    return folder


def image(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "orange").save(path)


def annotate(folder, wordnet_ids):
    lines = [f"val_{number}.JPEG\t{each}\t0\t0\t9\t9\n" for number, each in enumerate(wordnet_ids)]
    (folder / "val" / "val_annotations.txt").write_text("".join(lines))


def find(folder):
    return find_dataset(f"tiny-imagenet:{folder}")


def error_of(folder):
    return refusal(f"tiny-imagenet:{folder}")


def labels(source, folder):
    """Returns the class of each image by its path."""
    return {
        source.name(number).removeprefix(f"{folder}/"): source.classes[source.label(number)]
        for number in range(len(source))
    }


# --- reading -----------------------------------------------------------------------------------


def test_training_images_have_the_class_of_their_folder(folder):
    assert labels(find(folder).training, folder) == {
        f"train/{each}/images/{each}_{number}.JPEG": each for each in CLASSES for number in (0, 1)
    }


def test_validation_images_have_the_class_of_their_annotation(folder):
    assert labels(find(folder).validation, folder) == {
        "val/images/val_0.JPEG": SNAIL,
        "val/images/val_1.JPEG": GOLDFISH,
        "val/images/val_2.JPEG": SNAIL,
        "val/images/val_3.JPEG": SALAMANDER,
    }


def test_classes_are_sorted_by_id_on_both_sides(folder):
    found = find(folder)
    assert found.training.classes == found.validation.classes == CLASSES
    assert skipped_counts(found) == {}


def test_words_are_those_of_the_classes(folder):
    assert find(folder).words == {
        GOLDFISH: "goldfish, Carassius auratus",
        SALAMANDER: "European fire salamander, Salamandra salamandra",
        SNAIL: "snail",
    }


def test_class_without_words_is_no_error(folder):
    (folder / "words.txt").write_text(f"{SNAIL}\tsnail\n{GOLDFISH}\n")
    assert find(folder).words == {SNAIL: "snail", GOLDFISH: ""}


def test_images_can_be_read(folder):
    found = find(folder)
    np.testing.assert_array_equal(found.training.read_rgb(5)[0, 0], (255, 165, 0))
    assert found.validation.read_rgb(0, 32).shape == (32, 32, 3)


def test_test_images_are_counted_and_skipped(folder):
    image(folder / "test" / "images" / "test_0.JPEG")
    assert skipped_counts(find(folder)) == {"test images without labels": 1}


def test_nothing_is_decoded(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(Image, "open", opened.append)
    assert len(find(folder).training) == 6
    assert opened == []


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\n\n") + "\n \n\t\n",
        lambda text: "\n" + text.removesuffix("\n"),
        lambda text: text + text,
        lambda text: text.replace("\n", " \n"),
        lambda text: "\ufeff" + text,
    ],
    ids=["CRLF", "blank lines", "no last line end", "twice", "blanks at line ends", "BOM"],
)
@pytest.mark.parametrize("part", ["wnids.txt", "words.txt", "val/val_annotations.txt"])
def test_text_files_may_have_been_edited(folder, part, change):
    expected = find(folder)
    text = (folder / part).read_text("utf-8")
    (folder / part).write_bytes(change(text).encode())
    found = find(folder)
    for side, same in (
        (found.training, expected.training),
        (found.validation, expected.validation),
    ):
        assert labels(side, folder) == labels(same, folder)
    assert {key: found.words[key] for key in (SALAMANDER, SNAIL)} == {
        key: expected.words[key] for key in (SALAMANDER, SNAIL)
    }
    assert skipped_counts(found) == {}


@pytest.mark.parametrize("name", ["my set", "[a]*?", "größe #1", "\udcff", "a:b"])
def test_folder_is_found_whatever_its_name(folder, name):
    folder = folder.rename(folder.with_name(name))
    found = find(folder)
    assert (len(found.training), len(found.validation)) == (6, 4)


def test_folder_may_be_relative_and_end_with_a_slash(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    found = find("tiny-imagenet-200/")
    assert found.validation.name(0) == "tiny-imagenet-200/val/images/val_0.JPEG"
    assert found.validation.read_rgb(0).shape == (64, 64, 3)


def test_images_directly_in_the_folder_of_their_class_are_found(folder):
    image(folder / "train" / SNAIL / "more.JPEG")
    assert labels(find(folder).training, folder)[f"train/{SNAIL}/more.JPEG"] == SNAIL


def test_folder_of_a_class_may_be_a_link(folder):
    shutil.move(folder / "train" / SNAIL, folder.parent / "elsewhere")
    (folder / "train" / SNAIL).symlink_to(folder.parent / "elsewhere", target_is_directory=True)
    assert list(labels(find(folder).training, folder).values()).count(SNAIL) == 2


# --- images and annotations that do not match -------------------------------------------------


def test_annotations_of_absent_images_are_counted_and_skipped(folder):
    (folder / "val" / "images" / "val_0.JPEG").unlink()
    (folder / "val" / "images" / "val_2.JPEG").unlink()
    found = find(folder)
    assert labels(found.validation, folder) == {
        "val/images/val_1.JPEG": GOLDFISH,
        "val/images/val_3.JPEG": SALAMANDER,
    }
    assert skipped_counts(found) == {"annotated, but missing": 2}


def test_images_without_annotations_are_counted_and_skipped(folder):
    annotate(folder, [SNAIL])
    found = find(folder)
    assert labels(found.validation, folder) == {"val/images/val_0.JPEG": SNAIL}
    assert skipped_counts(found) == {"not annotated": 3}


def test_validation_may_be_empty(folder):
    annotate(folder, [])
    found = find(folder)
    assert len(found.validation) == 0
    assert found.validation.classes == CLASSES


@pytest.mark.parametrize("label", ["n99999999", "snail", "", SNAIL.upper()])
def test_annotation_of_an_unknown_class_is_reported(folder, label):
    annotate(folder, [SNAIL, label])
    message = error_of(folder)
    assert message.startswith("labels do not match: ")
    assert f"val_1.JPEG is {label or 'nothing'}, which is not in wnids.txt" in message


@pytest.mark.parametrize("line", ["val_0.JPEG", f"val_0.JPEG {SNAIL} 0 0 9 9"])
def test_annotation_without_a_class_is_reported(folder, line):
    (folder / "val" / "val_annotations.txt").write_text(line)
    assert error_of(folder).startswith("labels do not match: ")


def test_image_that_is_annotated_as_two_classes_is_reported(folder):
    annotations = folder / "val" / "val_annotations.txt"
    annotations.write_text(f"{annotations.read_text()}val_1.JPEG\t{SNAIL}\t0\t0\t9\t9\n")
    message = error_of(folder)
    assert message.startswith("labels do not match: ")
    assert "val_1.JPEG" in message


def test_training_images_of_an_unknown_class_are_reported(folder):
    image(folder / "train" / "n99999999" / "images" / "n99999999_0.JPEG")
    message = error_of(folder)
    assert message.startswith("labels do not match: train/n99999999/images/n99999999_0.JPEG is")


def test_training_image_outside_of_a_class_is_reported(folder):
    image(folder / "train" / "line\nbreak.JPEG")
    assert error_of(folder).startswith("labels do not match: train/line\\nbreak.JPEG is")


def test_folder_of_an_unknown_class_without_images_does_not_matter(folder):
    (folder / "train" / "n99999999").mkdir()
    assert len(find(folder).training) == 6


@pytest.mark.parametrize("remaining", [[], ["notes.txt"], [".hidden.JPEG"]])
def test_class_without_images_is_reported(folder, remaining):
    images = folder / "train" / SALAMANDER / "images"
    shutil.rmtree(images)
    images.mkdir()
    for name in remaining:
        (images / name).touch()
    assert error_of(folder).startswith(f"train/{SALAMANDER}, a class of wnids.txt, has no image")


# --- parts that are missing --------------------------------------------------------------------


@pytest.mark.parametrize(
    "part", ["train", "val/images", "val/val_annotations.txt", "wnids.txt", "words.txt"]
)
def test_missing_part_of_the_layout_is_reported(folder, part):
    (folder / part).rename(folder / "elsewhere")
    assert error_of(folder).startswith(f"{part} is not in {folder}; give the folder that contains")


@pytest.mark.parametrize("part", ["train", "val/images"])
def test_file_instead_of_a_folder_is_reported(folder, part):
    shutil.rmtree(folder / part)
    (folder / part).touch()
    assert part in error_of(folder)


@pytest.mark.parametrize("part", ["wnids.txt", "words.txt", "val/val_annotations.txt"])
@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\n"], ids=["a folder", "not UTF-8"])
def test_text_file_that_cannot_be_read_is_reported(folder, part, content):
    (folder / part).unlink()
    if content is None:
        (folder / part).mkdir()
    else:
        (folder / part).write_bytes(content)
    assert error_of(folder).startswith(f"{part} cannot be read: ")


@pytest.mark.parametrize("part", ["wnids.txt", "val/val_annotations.txt"])
def test_empty_text_file_is_read_as_empty(folder, part):
    (folder / part).write_bytes(b"")
    if part == "wnids.txt":
        assert error_of(folder).startswith("labels do not match: ")
    else:
        assert skipped_counts(find(folder)) == {"not annotated": 4}


def test_missing_folder_is_reported(folder):
    message = error_of(folder.with_name("tiny-imagenet"))
    assert f"{folder.with_name('tiny-imagenet')} is not a folder" in message
    assert "did you mean tiny-imagenet-200?" in message


def test_file_instead_of_the_folder_is_reported(folder):
    file = folder / "wnids.txt"
    assert f"{file} is not a folder" in error_of(file)


def test_line_break_in_the_name_of_a_folder_is_escaped(tmp_path):
    assert r"line\nbreak is not a folder" in error_of(tmp_path / "line\nbreak")
