"""Tests of `run.py --inspect`: the table, the contact sheet, the colorfulness and the speed."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from skimage import color

import run
from data.datasets.dataset import Dataset
from data.datasets.image_files import ImageFiles
from data.image_io import write_rgb
from jobs.common.contact_sheet import draw_contact_sheet

RED, BLUE, GREEN = (190, 90, 80), (80, 100, 190), (70, 150, 90)

# The WordNet ids of three of ImageNet's 1000 classes.
TENCH, SPANIEL, CHAINSAW = "n01440764", "n02102040", "n03000684"
CLASSES = {
    SPANIEL: ("English springer, English springer spaniel", BLUE),
    TENCH: ("tench, Tinca tinca", RED),
}
NAMES = {RED: "tench", BLUE: "English springer"}

SPEED = re.compile(r"[1-9]\d* images per second at 16 px on \d+ processor cores")


@pytest.fixture
def inspect(here, monkeypatch):
    """Returns a function that inspects datasets briefly and returns the exit status."""
    monkeypatch.setattr("jobs.inspect.MEASURED_IMAGES", 20)
    monkeypatch.setattr("jobs.inspect.SECONDS", 0.01)

    def call(*arguments):
        options = ["--resolution", "16", "--batch_size", "4", "--validation_share", "0.3"]
        return run.main(["--inspect", *options, *arguments])

    return call


@pytest.fixture
def drawn(monkeypatch):
    """A dict of what the contact sheet was drawn from: the images by kind, and `captions`."""
    arguments = {}

    def record(kinds, captions=None):
        arguments.update(kinds, captions=captions)
        return draw_contact_sheet(kinds, captions)

    monkeypatch.setattr("jobs.inspect.draw_contact_sheet", record)
    return arguments


def write_solid_images(folder, colors):
    for number, color_of_image in enumerate(colors):
        write_rgb(folder / f"{number}.png", np.full((20, 20, 3), color_of_image, "uint8"))


def write_broken_images(folder, count):
    folder.mkdir(exist_ok=True)
    for number in range(count):
        (folder / f"broken{number}.png").write_text("no image")


def labeled_demo(monkeypatch, folder, labels):
    """Makes `demo` a dataset of red and blue images whose classes are not WordNet ids."""
    write_solid_images(folder, [RED, BLUE] * (len(labels) // 2))
    paths = [f"{number}.png" for number in range(len(labels))]
    images = ImageFiles(str(folder), paths, labels, classes=("tench", "English springer"))
    demo = Dataset("demo", images, ImageFiles(str(folder), []))
    monkeypatch.setattr("data.datasets.find_images.demo_set", lambda *_: demo)


def class_names_of(images):
    """Returns the class name of each image, found by its color."""
    means = images.astype("float32").mean(axis=(1, 2))
    nearest = [min(NAMES, key=lambda each: np.abs(mean - each).sum()) for mean in means]
    return [NAMES[each] for each in nearest]


def printed(capsys):
    """Returns what was printed, without the progress bars."""
    lines = capsys.readouterr().out.split("\n")
    return "\n".join(line.rpartition("\r")[2] for line in lines)


def error_line(capsys):
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


# --- what is shown -----------------------------------------------------------------------------


def test_table_sheet_colorfulness_and_speed_are_shown(inspect, images, here, capsys):
    assert inspect("--dataset", "images") == 0
    heading, row, colorful, first, speed = printed(capsys).splitlines()
    assert heading.split() == ["dataset", "training", "validation", "skipped"]
    name, training, validation, skipped = row.split()
    assert (name, skipped) == ("images", "0")
    assert int(training) + int(validation) == 10
    assert re.fullmatch(
        r"mean colorfulness \d+\.\d \(20 crops, 10th percentile \d+\.\d\); "
        r"16 of them are shown in results/inspect\.png",
        colorful,
    )
    assert re.fullmatch(r"the first batch arrived after \d+\.\d s", first)
    assert SPEED.fullmatch(speed)
    with Image.open("results/inspect.png") as sheet:
        # The sheet has two columns of eight rows, and images of 16 px are enlarged sevenfold.
        assert sheet.size == (2 * (3 * 112 + 2 * 4 + 24) + 24, 24 + 8 * (112 + 4) + 4)
    # Nothing was trained.
    assert {path.name for path in here.iterdir()} == {"images", "results"}
    assert [path.name for path in (here / "results").iterdir()] == ["inspect.png"]


def test_the_sheet_shows_gray_ab_and_color_of_each_image(inspect, here, drawn):
    write_solid_images(here / "images", [RED, GREEN, BLUE] * 4)
    assert inspect("--dataset", "images") == 0
    assert list(drawn) == ["gray", "ab", "color", "captions"]
    gray, ab, colored = (
        color.rgb2lab(drawn[kind].mean(axis=(1, 2)) / 255.0) for kind in ("gray", "ab", "color")
    )
    assert len(colored) == 16
    expected = color.rgb2lab(np.array([RED, GREEN, BLUE]) / 255.0)
    distances = np.abs(colored[:, None] - expected).max(axis=-1)
    assert (distances.min(axis=1) < 0.5).all()
    assert set(distances.argmin(axis=1)) == {0, 1, 2}
    # Gray has the lightness of the image; ab has its ab and a constant lightness.
    np.testing.assert_allclose(gray[:, 0], colored[:, 0], atol=0.5)
    np.testing.assert_allclose(gray[:, 1:], 0.0, atol=0.5)
    np.testing.assert_allclose(ab[:, 1:], colored[:, 1:], atol=1.0)
    np.testing.assert_allclose(ab[:, 0], 65.0, atol=0.5)


def test_the_file_holds_the_contact_sheet(inspect, images, drawn):
    assert inspect("--dataset", "images", "--output_dir", "deep/out") == 0
    captions = drawn.pop("captions")
    with Image.open("deep/out/inspect.png") as sheet:
        np.testing.assert_array_equal(sheet, draw_contact_sheet(drawn, captions))


def test_colorfulness_is_that_of_the_images(inspect, here, capsys):
    # Without spread it is 0.3 times the distance from gray: R - G is 100 or 50, and B = G.
    write_solid_images(here / "images", [(200, 100, 100)] * 10)
    write_solid_images(here / "images" / "duller", [(150, 100, 100)] * 10)
    assert inspect("--dataset", "images", "--validation_share", "0") == 0
    bright, dull = (0.3 * np.hypot(step, step / 2) for step in (100, 50))
    found = re.search(r"mean colorfulness (\S+) \(.* 10th percentile (\S+)\)", printed(capsys))
    assert float(found[1]) == pytest.approx((bright + dull) / 2, abs=0.3)
    assert float(found[2]) == pytest.approx(dull, abs=0.3)


@pytest.mark.parametrize("batch_size", ["1", "20", pytest.param("5", marks=pytest.mark.slow)])
def test_the_sheet_has_sixteen_images_for_any_batch_size(
    inspect, here, drawn, monkeypatch, batch_size
):
    labeled_demo(monkeypatch, here / "images", [0, 1] * 15)
    assert inspect("--batch_size", batch_size) == 0
    assert [len(drawn[kind]) for kind in ("gray", "ab", "color")] == [16] * 3
    assert drawn["captions"][:16] == class_names_of(drawn["color"])


def test_the_same_seed_shows_the_same_images_and_another_seed_others(inspect, images, drawn):
    sheets = []
    for seed in ("3", "3", "4"):
        assert inspect("--dataset", "images", "--seed", seed) == 0
        sheets.append(drawn["color"])
    np.testing.assert_array_equal(sheets[0], sheets[1])
    assert (sheets[0] != sheets[2]).any()


# --- labels ------------------------------------------------------------------------------------


def test_captions_are_the_words_of_the_classes(inspect, tiny_imagenet, drawn, capsys):
    assert inspect("--dataset", tiny_imagenet("tiny", CLASSES)) == 0
    captions = drawn["captions"][:16]
    assert set(captions) == {"tench", "English springer"}
    assert captions == class_names_of(drawn["color"])
    # The ids are sorted, and the numbers are those of ImageNet.
    text = printed(capsys)
    assert "tiny-imagenet:tiny: 2 classes: n01440764, n02102040" in text
    assert "; ImageNet's numbers 0, 217" in text


def test_a_few_classes_are_all_named_without_an_ellipsis(inspect, tiny_imagenet, capsys):
    assert inspect("--dataset", tiny_imagenet("tiny", CLASSES)) == 0
    assert "..." not in printed(capsys)


def test_only_the_first_three_of_many_classes_are_named(inspect, tiny_imagenet, capsys):
    more = {"n01443537": ("goldfish", GREEN), CHAINSAW: ("chain saw", GREEN)}
    assert inspect("--dataset", tiny_imagenet("tiny", {**CLASSES, **more})) == 0
    assert (
        "4 classes: n01440764, n01443537, n02102040 ...; ImageNet's numbers 0, 1, 217 ..."
    ) in printed(capsys)


def test_numbers_of_classes_are_those_of_the_class_index(inspect, tiny_imagenet, here, capsys):
    ids = [f"n{number:08}" for number in range(998)] + [SPANIEL, TENCH]
    index = {str(number): [each, "words"] for number, each in enumerate(ids)}
    (here / "index.json").write_text(json.dumps(index))
    name = tiny_imagenet("tiny", CLASSES)
    assert inspect("--dataset", name, "--class_index", "index.json") == 0
    assert "numbers 999, 998" in printed(capsys)


def test_an_invalid_class_index_is_a_one_line_error(inspect, tiny_imagenet, here, capsys):
    (here / "index.json").write_text("[]")
    name = tiny_imagenet("tiny", CLASSES)
    assert inspect("--dataset", name, "--class_index", "index.json") == 2
    assert "--class_index: index.json is not of the form" in error_line(capsys)


def test_a_class_index_without_imagenet_classes_is_refused(inspect, images, capsys):
    assert inspect("--dataset", "images", "--class_index", "absent.json") == 2
    assert "--class_index" in error_line(capsys)


def test_classes_that_are_not_in_imagenet_are_shown_too(inspect, tiny_imagenet, drawn, capsys):
    unknown = {"n99999998": ("unicorn", RED), "n99999999": ("griffin", BLUE)}
    assert inspect("--dataset", tiny_imagenet("tiny", unknown)) == 0
    assert "2 classes: n99999998, n99999999" in printed(capsys)
    assert set(drawn["captions"]) == {"unicorn", "griffin"}


def test_images_without_labels_have_no_captions(inspect, images, drawn, capsys):
    assert inspect("--dataset", "images") == 0
    assert drawn["captions"] is None
    assert "classes" not in printed(capsys)


def test_class_names_that_are_words_are_the_captions(inspect, here, drawn, monkeypatch, capsys):
    labeled_demo(monkeypatch, here / "images", [0, 1] * 5)
    assert inspect() == 0
    assert drawn["captions"][:16] == class_names_of(drawn["color"])
    text = printed(capsys)
    assert "demo: 2 classes: tench, English springer" in text
    assert "ImageNet" not in text


def test_an_image_without_a_label_has_an_empty_caption(inspect, here, drawn, monkeypatch):
    labeled_demo(monkeypatch, here / "images", [0, -1] * 5)
    assert inspect() == 0
    named = ["" if name == NAMES[BLUE] else name for name in class_names_of(drawn["color"])]
    assert drawn["captions"][:16] == named


# --- several datasets --------------------------------------------------------------------------


def test_joined_datasets_with_the_same_classes_have_captions(inspect, tiny_imagenet, drawn, capsys):
    names = [tiny_imagenet(folder, CLASSES) for folder in ("one", "two")]
    assert inspect("--dataset", *names) == 0
    rows = printed(capsys).splitlines()
    assert [row.split() for row in rows[1:4]] == [
        ["tiny-imagenet:one", "8", "2", "0"],
        ["tiny-imagenet:two", "8", "2", "0"],
        ["total", "16", "4", "0"],
    ]
    assert drawn["captions"][:16] == class_names_of(drawn["color"])


def test_joined_datasets_with_different_classes_have_no_captions(
    inspect, tiny_imagenet, drawn, capsys
):
    names = [
        tiny_imagenet("one", CLASSES),
        tiny_imagenet("two", {TENCH: ("tench", RED), CHAINSAW: ("chain saw", GREEN)}),
    ]
    assert inspect("--dataset", *names) == 0
    assert drawn["captions"] is None
    text = printed(capsys)
    assert "tiny-imagenet:one: 2 classes: n01440764, n02102040" in text
    assert "tiny-imagenet:two: 2 classes: n01440764, n03000684" in text


def test_joined_datasets_with_and_without_labels_have_no_captions(
    inspect, tiny_imagenet, images, drawn, capsys
):
    assert inspect("--dataset", "images", tiny_imagenet("tiny", CLASSES)) == 0
    assert drawn["captions"] is None
    text = printed(capsys)
    assert "tiny-imagenet:tiny: 2 classes" in text
    assert "images: " not in text


def test_categories_select_images_of_coco(inspect, coco, capsys):
    assert inspect("--dataset", coco, "--categories", "cat") == 0
    row = printed(capsys).splitlines()[1]
    name, training, validation, skipped, *why = row.split()
    assert (name, int(training) + int(validation), skipped) == ("coco:toys", 6, "4")
    assert why == ["4", "without", "cat"]


def test_shares_of_weighted_datasets_are_shown(inspect, images, here, drawn, capsys):
    write_solid_images(here / "blue", [BLUE] * 2)
    options = ("--dataset", "images", "blue", "--dataset_weights", "1", "3", "--cache", "memory")
    assert inspect(*options, "--validation_share", "0") == 0
    heading, *rows = [line.split() for line in printed(capsys).splitlines()[:4]]
    assert heading == ["dataset", "training", "share", "validation", "skipped"]
    assert rows == [
        ["images", "10", "25.0%", "0", "0"],
        ["blue", "2", "75.0%", "0", "0"],
        ["total", "12", "100.0%", "0", "0"],
    ]
    is_blue = np.abs(drawn["color"].mean(axis=(1, 2)) - BLUE).max(axis=-1) < 2
    assert is_blue.sum() == 12


# --- skipped images and errors -----------------------------------------------------------------


def test_broken_images_are_skipped_counted_and_listed(inspect, images, here, capsys):
    write_broken_images(images, 3)
    assert inspect("--dataset", "images", "--validation_share", "0", "--output_dir", "out") == 0
    captured = capsys.readouterr()
    assert (
        "warning: 3 of 13 skipped (3 unreadable), listed in out/skipped_images.tsv" in captured.err
    )
    assert "mean colorfulness" in captured.out
    assert (here / "out" / "skipped_images.tsv").read_text().count("broken") == 3
    assert (here / "out" / "inspect.png").exists()


def test_standard_error_has_only_the_warning(inspect, images, capsys):
    write_broken_images(images, 3)
    assert inspect("--dataset", "images", "--validation_share", "0") == 0
    message = capsys.readouterr().err
    assert message.startswith("warning: 3 of 13 skipped")
    assert message.count("\n") == 1


def test_more_broken_images_than_good_ones_are_a_one_line_error(inspect, images, here, capsys):
    write_broken_images(images, 15)
    # The path is absolute, because images are still read for a moment after the job has ended,
    # when the working folder may be that of the next test.
    options = ("--validation_share", "0", "--output_dir", str(here / "out"))
    assert inspect("--dataset", "images", *options) == 2
    assert not (here / "out" / "inspect.png").exists()
    assert "more than half of the images cannot be used: " in error_line(capsys)


def test_a_cache_stores_the_images_and_the_list_of_skipped_ones(inspect, images, here):
    write_broken_images(images, 1)
    options = ("--dataset", "images", "--validation_share", "0", "--cache", "kept")
    assert inspect(*options) == 0
    assert {"images.sqlite", "skipped_images.tsv"} <= {
        path.name for path in (here / "kept").iterdir()
    }
    assert [path.name for path in (here / "results").iterdir()] == ["inspect.png"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "images", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "empty"], "--dataset: empty: no images in this folder or its subfolders"),
        (["--dataset", "images", "--max_images", "1"], "no image is left to train on"),
        (
            ["--dataset", "images", "images/", "--dataset_weights", "1", "1"],
            "--dataset_weights: no training image of images/ is left to draw (10 in another",
        ),
        (["--dataset", "images", "--cache", "file"], "--cache: the cache file cannot be used"),
        (["--dataset", "images", "--output_dir", "file"], "--output_dir file: File exists"),
        (["--dataset", "images", "--output_dir", "file/a"], "file/a: Not a directory"),
        (["--dataset", "images", "--output_dir", "full"], "Is a directory"),
    ],
)
def test_what_cannot_be_inspected_is_a_one_line_error(
    inspect, images, here, capsys, arguments, words
):
    (here / "empty").mkdir()
    (here / "file").write_text("")
    (here / "full" / "inspect.png").mkdir(parents=True)
    assert inspect(*arguments) == 2
    assert words in error_line(capsys)


def test_an_output_folder_that_cannot_be_written_is_reported_before_images_are_read(
    inspect, images, here, capsys
):
    (here / "file").write_text("")
    write_broken_images(images, 20)
    assert inspect("--dataset", "images", "--output_dir", "file") == 2
    assert "--output_dir file: File exists" in error_line(capsys)


def test_fewer_images_than_a_batch_are_shown_with_a_warning(inspect, here, capsys):
    write_solid_images(here / "images", [RED, GREEN])
    options = ("--dataset", "images", "--batch_size", "16")
    assert inspect(*options) == 0
    message = capsys.readouterr().err
    assert message.startswith("warning: no training can start: 1 training images are fewer than")
    assert "set --steps_per_epoch to repeat them" in message
    assert (here / "results/inspect.png").exists()
    assert inspect(*options, "--steps_per_epoch", "3") == 0
    assert not capsys.readouterr().err
