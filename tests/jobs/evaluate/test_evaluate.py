"""Tests of `run.py --evaluate`: the table, the files, the contact sheet, and errors."""

import csv
import io
import json
import math
import os
import re
import shutil
import signal
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.linalg import sqrtm
from skimage import color
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run
from config.settings import Settings
from data.color.gamut import pull_into_gamut
from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from data.image_io import write_rgb
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.evaluate import evaluate as evaluate_job
from metrics.evaluator import Evaluator
from metrics.table import format_table
from models.checkpoints.folder import WeightsFolder
from models.sagan import SAGAN

FEW = ["--resolution", "16", "--batch_size", "5", "--precision", "float32"]
FEW += ["--render_size", "16"]
FIXED = ["truth", "gray", "constant ab"]
MISSING = {"lpips", "inception_score", "inception_score_deviation"}


@pytest.fixture(scope="module")
def load_once():
    """Loads each colorizer only once: compiling it takes longer than all the rest."""
    loaded = {}
    load = evaluate_job.load_colorizer

    def call(folder, settings, render_size):
        file = Path(folder.path, "generator.weights.h5")
        if not file.exists():
            return load(folder, settings, render_size)
        key = file.read_bytes(), render_size
        if key not in loaded:
            loaded[key] = load(folder, settings, render_size)
        loaded[key].batch_size = settings.batch_size
        return loaded[key]

    return call


@pytest.fixture
def evaluate(weights, here, offline, load_once, monkeypatch):
    """Evaluates at 16 px, by default the tiny weights, and returns the exit status."""
    monkeypatch.setattr(evaluate_job, "load_colorizer", load_once)

    def call(*arguments):
        has_weights = {"--weights", "--load_weights"}.intersection(arguments)
        default = [] if has_weights else ["--weights", weights]
        return run.main(["--evaluate", *FEW, *default, *arguments])

    return call


@pytest.fixture
def drawn(monkeypatch):
    """The images that are drawn on the contact sheet, by the name of their row, and `captions`."""
    return record_drawn_images(monkeypatch)


def record_drawn_images(patch):
    recorded = {}

    def record(rows, captions=None):
        recorded.update(rows, captions=captions)
        return draw_contact_sheet(rows, captions)

    patch.setattr("jobs.evaluate.evaluate.draw_contact_sheet", record)
    return recorded


def solid(path, color=(200, 90, 80), size=(20, 24)):
    write_rgb(path, np.full((*size, 3), color, "uint8"))


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image)


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def all_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def error_line(capsys):
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert message.count("\n") == 1
    return message


def rows_of(path):
    return json.loads(Path(path).read_text())["rows"]


# --- metrics -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(weights, offline, load_once, feature_network, tmp_path_factory):
    """An evaluation of twelve images with every kind of row, and everything that it produced."""
    folder = tmp_path_factory.mktemp("whole")
    random = np.random.default_rng(0)
    for number in range(12):
        pixels = random.uniform(0, 255, (1, 1, 3)) + random.normal(0, 20, (16, 20, 3))
        pixels = pixels.clip(0, 255).astype("uint8")
        name = f"{number}.png"
        write_rgb(folder / "set" / name, pixels)
        write_rgb(folder / "copies" / name, pixels)
        write_rgb(folder / "grays" / name, gray_of(pixels))
        noise = random.normal(0, 30, pixels.shape)
        write_rgb(
            folder / "theirs" / f"{number}.bmp", (pixels + noise).clip(0, 255).astype("uint8")
        )
    predictions = [str(folder / name) for name in ("copies", "grays", "theirs")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_job, "load_colorizer", load_once)
        patch.setattr("sys.stdout", io.StringIO())
        drawn = record_drawn_images(patch)
        status = run.main(
            ["--evaluate", *FEW, "--weights", weights, "--dataset", str(folder / "set")]
            + ["--predictions", *predictions, "--sample_count", "12", "--csv", "--json"]
            + ["--feature_network", feature_network, "--batch_size", "6"]
            + ["--output_dir", str(folder / "out"), "--log_dir", str(folder / "logs")]
        )
        printed = sys.stdout.getvalue()
    assert status == 0
    captions = drawn.pop("captions")
    record = json.loads((folder / "out" / "evaluation.json").read_text())
    return SimpleNamespace(
        folder=folder,
        printed=printed,
        record=record,
        rows={row["name"]: row for row in record["rows"]},
        drawn=drawn,
        captions=captions,
        mine=Path(weights).name,
        generator=load_once(WeightsFolder(weights), Settings(), 16).generator,
    )


def gray_of(rgb255):
    """The gray image of the same lightness, by scikit-image."""
    lab = color.rgb2lab(rgb255)
    return rgb_of(lab[..., :1], np.zeros_like(lab[..., 1:]))


def rgb_of(lightness, ab):
    lab = np.concatenate([lightness, np.broadcast_to(ab, (*lightness.shape[:-1], 2))], axis=-1)
    lab = np.asarray(pull_into_gamut(lab))
    with warnings.catch_warnings():
        # Rounding leaves some colors slightly outside sRGB.
        warnings.simplefilter("ignore", UserWarning)
        return np.round(255.0 * color.lab2rgb(lab)).astype("uint8")


def squares(whole, folder, ending):
    """The central squares of the images in the order of the sheet: 2 columns off each side."""
    paths = [whole.folder / folder / (Path(name).stem + ending) for name in whole.captions]
    return np.stack([pixels_of(path)[:, 2:-2] for path in paths])


def colorfulness(rgb255):
    red, green, blue = np.moveaxis(rgb255.astype(float), -1, 0)
    parts = red - green, (red + green) / 2 - blue
    return np.hypot(*(part.std() for part in parts)) + 0.3 * np.hypot(
        *(part.mean() for part in parts)
    )


def expected_metrics(true, colored):
    """The metrics of a row, by scikit-image and SciPy."""
    pairs = list(zip(true, colored, strict=True))
    error = np.mean((true.astype(float) - colored) ** 2) / 255**2
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    means, spreads = zip(*map(statistics, (true, colored)), strict=True)
    root = sqrtm(spreads[0] @ spreads[1]).real
    return {
        "psnr": np.mean([peak_signal_noise_ratio(*pair) for pair in pairs]),
        "pooled_psnr": 10 * np.log10(1 / error),
        "ssim": np.mean([structural_similarity(*p, channel_axis=-1, **options) for p in pairs]),
        "colorfulness": np.mean(list(map(colorfulness, colored))),
        "delta_colorfulness": abs(
            np.mean(list(map(colorfulness, true))) - np.mean(list(map(colorfulness, colored)))
        ),
        "fid": np.sum((means[0] - means[1]) ** 2) + np.trace(sum(spreads) - 2 * root),
    }


def statistics(rgb255):
    features = rgb255.astype(float).mean(axis=(1, 2)) / 255
    return features.mean(axis=0), np.cov(features, rowvar=False)


def test_rows_are_in_the_order_of_the_table(whole):
    assert list(whole.rows) == [*FIXED, whole.mine, "copies", "grays", "theirs"]
    kinds = [row["kind"] for row in whole.rows.values()]
    assert kinds == [*FIXED, "weights", *["predictions"] * 3]
    assert whole.rows["theirs"]["path"] == str(whole.folder / "theirs")
    assert whole.rows["gray"]["path"] == ""


def test_the_fixed_rows_are_the_truth_its_gray_and_its_mean_color(whole):
    true = squares(whole, "set", ".png")
    np.testing.assert_array_equal(whole.drawn["truth"], true)
    difference = whole.drawn["gray"].astype(int) - gray_of(true)
    assert np.abs(difference).max() <= 1
    assert np.ptp(whole.drawn["gray"], axis=-1).max() == 0
    lab = color.rgb2lab(true)
    mean = lab[..., 1:].mean(axis=(0, 1, 2))
    assert np.abs(mean).max() > 3
    difference = whole.drawn["constant ab"].astype(int) - rgb_of(lab[..., :1], mean)
    assert np.abs(difference).max() <= 1


def test_weights_color_the_lightness_of_the_squares(whole):
    lab = color.rgb2lab(squares(whole, "set", ".png"))
    ab = 110 * np.asarray(whole.generator((lab[..., :1] / 50 - 1).astype("float32")))
    difference = whole.drawn[whole.mine].astype(int) - rgb_of(lab[..., :1], ab)
    assert np.abs(difference).max() <= 1
    assert np.ptp(whole.drawn[whole.mine], axis=-1).mean() > 10


def test_weights_run_at_their_own_render_size(evaluate, images, weights):
    options = ["--weights", weights, "--images", "images/0.png", "--json"]
    assert run.main(["--evaluate", *FEW[:-2], *options]) == 0
    sizes = [row["render_size"] for row in rows_of("results/evaluation.json")]
    # Gray has no network.
    assert sizes == [None, 32]


def test_weights_color_images_as_they_color_photographs(evaluate, images, drawn, weights, here):
    size = ["--render_size", "24"]
    assert evaluate("--dataset", "images", "--sample_count", "9", *size) == 0
    [evaluated] = [drawn[name] for name in drawn if name == Path(weights).name]
    true = drawn["truth"]
    for number, pixels in enumerate(true):
        write_rgb(here / "squares" / f"{number}.png", pixels)
    options = [*size, "--weights", weights, "--precision", "float32", "--output_dir", "colored"]
    assert run.main(["--images", "squares", *options]) == 0
    for number, pixels in enumerate(evaluated):
        np.testing.assert_array_equal(pixels_of(here / "colored" / f"{number}.png"), pixels)


def test_predictions_are_the_images_of_their_folders(whole):
    for name, ending in (("copies", ".png"), ("grays", ".png"), ("theirs", ".bmp")):
        np.testing.assert_array_equal(whole.drawn[name], squares(whole, name, ending))


def test_metrics_agree_with_scikit_image_and_scipy(whole):
    true = squares(whole, "set", ".png")
    for name, row in whole.rows.items():
        missing = {key for key, number in row.items() if number is None}
        assert missing == MISSING | ({"render_size"} if name != whole.mine else set())
        if name in ("truth", "copies"):
            continue
        for key, number in expected_metrics(true, whole.drawn[name]).items():
            assert row[key] == pytest.approx(number, rel=1e-3, abs=1e-4), (name, key)


@pytest.mark.parametrize("name", ["truth", "copies"])
def test_the_truth_and_a_copy_of_it_have_no_error(whole, name):
    row = whole.rows[name]
    assert row["psnr"] == row["pooled_psnr"] == "inf"
    assert row["ssim"] == pytest.approx(1.0, abs=1e-6)
    assert row["delta_colorfulness"] == 0.0
    assert row["fid"] == pytest.approx(0.0, abs=1e-6)
    assert row["kid"] == pytest.approx(0.0, abs=1e-6)


def test_gray_predictions_score_like_the_gray_row(whole):
    # Rounding leaves a trace of color.
    for key, tolerance in (("psnr", 0.01), ("ssim", 0.001), ("fid", 0.001), ("colorfulness", 0.1)):
        assert whole.rows["grays"][key] == pytest.approx(whole.rows["gray"][key], abs=tolerance)


# --- what is printed and saved -------------------------------------------------------------------


def test_the_table_has_the_metrics_of_the_files(whole):
    numbers = {
        name: {key: math.inf if number == "inf" else number for key, number in row.items()}
        for name, row in whole.rows.items()
    }
    table = format_table(numbers, whole.record["footnotes"])
    path = whole.folder / "out" / "evaluation"
    assert whole.printed == (
        f"12 images of {whole.folder}/set at 16 px; networks run at 16 px\n\n{table}\n\n"
        f"saved {path}.png, {path}.csv, {path}.json; "
        f"to view: tensorboard --logdir {whole.folder}/logs\n"
    )
    assert whole.record["title"] == whole.printed.splitlines()[0]
    assert whole.record["images"] == 12
    assert whole.record["feature_network"] == "mean color"
    settings = whole.record["settings"]
    assert (settings["resolution"], settings["dataset"]) == (16, [f"{whole.folder}/set"])
    assert "epochs" not in settings


def test_footnotes_say_which_network_and_what_is_missing(whole):
    better, network, deviation, few, lpips, score = whole.record["footnotes"]
    assert better.startswith("^ higher is better")
    assert network == (
        "FID, KID: computed with mean color; values of other networks are not comparable"
    )
    assert deviation.startswith("+- standard deviation over ")
    assert few.startswith("warning: with 12 images, fewer than 2,048, FID is too high: ")
    assert lpips.startswith("- LPIPS: ")
    assert score == "- IS: mean color has no classes"


def test_csv_and_json_have_the_same_values(whole):
    with open(whole.folder / "out" / "evaluation.csv", newline="") as file:
        table = list(csv.DictReader(file))
    common = {"images": 12, "resolution": 16}
    for line, row in zip(table, whole.rows.values(), strict=True):
        expected = {
            key: "" if value is None else str(value) for key, value in {**row, **common}.items()
        }
        assert line == expected


def test_the_sheet_has_the_same_images_under_every_row(whole):
    assert list(whole.drawn) == list(whole.rows)
    assert sorted(whole.captions) == sorted(f"{number}.png" for number in range(12))
    sheet = pixels_of(whole.folder / "out" / "evaluation.png")
    np.testing.assert_array_equal(sheet, draw_contact_sheet(whole.drawn, whole.captions))


def test_nothing_else_is_written(whole):
    names = {"evaluation.png", "evaluation.csv", "evaluation.json"}
    assert files_below(whole.folder / "out") == names
    [events] = files_below(whole.folder / "logs")
    assert events.startswith("events.out.tfevents.")


def test_tensorboard_shows_the_sheet_and_the_table(whole):
    records = EventAccumulator(str(whole.folder / "logs"), {"tensors": 0}).Reload()
    [image], [text] = records.Tensors("sheet"), records.Tensors("table")
    sheet = tf.io.decode_png(tf.make_ndarray(image.tensor_proto)[2]).numpy()
    np.testing.assert_array_equal(sheet, pixels_of(whole.folder / "out" / "evaluation.png"))
    shown = tf.make_ndarray(text.tensor_proto).item().decode()
    for line in whole.printed.splitlines()[:-1]:
        assert line in shown


# --- which weights -------------------------------------------------------------------------------


def test_own_training_has_the_metrics_of_its_validation(
    train_sagan, evaluate, weights, images, drawn, monkeypatch
):
    validation = {}
    for path in images.iterdir():
        # Training and evaluation shrink images differently; at 16 px neither does.
        write_rgb(path, pixels_of(path)[:16, :16])

    def take_no_step(model, batches, validation_data, validation_steps, **options):
        WeightsFolder(weights).load_generator(model.generator_ema)
        # Pale colors: those outside sRGB are clipped by validation but made paler by evaluation.
        last = model.generator_ema.get_layer("ab")
        last.set_weights([0.1 * array for array in last.get_weights()])
        WeightsFolder("weights/sagan").save_generator(model.generator_ema)
        validation.update(
            model.evaluate(validation_data, steps=validation_steps, return_dict=True, verbose=0)
        )

    monkeypatch.setattr(SAGAN, "fit", take_no_step)
    metrics = ("--validation_metrics", "psnr", "ssim", "colorfulness")
    assert train_sagan("--depth", "2", "--attention_resolution", "8", "--seed", "1", *metrics) == 0
    assert evaluate("--dataset", "images", "--load_weights", "--json") == 0
    options = DatasetOptions(validation_share=0.3, seed=1)
    held_out = find_images(["images"], options).validation.names()
    assert sorted(drawn["captions"]) == sorted(map(os.path.basename, held_out))
    [*_, mine] = rows_of("results/evaluation.json")
    assert (mine["name"], mine["path"]) == ("sagan", "weights/sagan")
    for name, tolerance in (("psnr", 0.1), ("ssim", 0.005), ("colorfulness", 0.2)):
        assert mine[name] == pytest.approx(validation[name], abs=tolerance)


def test_hints_have_rows_of_their_own_and_bring_colors_nearer_to_the_truth(
    evaluate, images, weights
):
    assert evaluate("--dataset", "images", "--hint_counts", "0", "40", "--seed", "3", "--json") == 0
    rows = {row["name"]: row for row in rows_of("results/evaluation.json")}
    name = os.path.basename(weights)
    assert [(name, row["hints"]) for name, row in rows.items()] == [
        ("truth", 0),
        ("gray", 0),
        ("constant ab", 0),
        (name, 0),
        (f"{name}, 40 hints", 40),
        (f"{name}, hints spread, 40 hints", 40),
        ("gray, hints spread, 40 hints", 40),
    ]
    assert rows[f"{name}, 40 hints"]["psnr"] > rows[name]["psnr"] + 1.0
    assert rows["gray, hints spread, 40 hints"]["psnr"] > rows["gray"]["psnr"] + 1.0


def test_weights_of_the_same_name_have_rows_of_their_own(evaluate, images, weights, here):
    for path in ("one/gray", "two/gray"):
        shutil.copytree(weights, here / path)
    shutil.copytree(images, here / "truth")
    options = ("--weights", "one/gray", "two/gray", "--predictions", "truth", "--json")
    assert evaluate("--images", "images", *options) == 0
    rows = rows_of("results/evaluation.json")
    assert [row["name"] for row in rows] == ["gray", "one/gray", "two/gray", "truth"]
    assert rows[1]["colorfulness"] == rows[2]["colorfulness"] > rows[0]["colorfulness"]


@pytest.mark.parametrize("option", ["--weights", "--predictions"])
def test_a_folder_that_is_named_twice_is_one_row(evaluate, images, weights, here, option):
    shutil.copytree(weights if option == "--weights" else images, here / "mine")
    names = ("mine", "./mine/", str(here / "mine"))
    assert evaluate("--images", "images", option, *names, "--json") == 0
    names = [row["name"] for row in rows_of("results/evaluation.json")]
    assert names[-1] == "mine"
    assert len(names) == (2 if option == "--weights" else 3)


# --- without truth -------------------------------------------------------------------------------


def test_without_truth_the_sheet_shows_rows_side_by_side(
    evaluate, images, weights, here, drawn, capsys
):
    for number in range(7):
        solid(here / "their images" / f"{number}.jpg")
    options = ("--images", "images", "--predictions", "their images", "--csv", "--json")
    assert evaluate(*options) == 0
    captured = capsys.readouterr()
    title, _, heading, gray, _, theirs, footnote, *_ = captured.out.splitlines()
    count, size = title.split("; ")
    assert count == "7 of 10 images of images (without ground truth) at 16 px"
    assert size == "networks run at 16 px"
    assert heading.split() == ["IS", "^", "CF"]
    assert gray.split() == ["gray", "-", "0.0"]
    # The images have one color: 0.3 times its distance from gray. JPEG is not exact.
    assert float(theirs.split()[-1]) == pytest.approx(0.3 * np.hypot(110, 65), abs=0.6)
    assert footnote.startswith("- IS: --feature_network: InceptionV3's weights cannot")
    assert captured.err.startswith("warning: their images lacks 3 of 10 images (7.png")
    assert list(drawn) == ["gray", Path(weights).name, "their images", "captions"]
    assert drawn["captions"] == [f"{number}.png" for number in range(7)]
    np.testing.assert_allclose(
        drawn["their images"], np.full((7, 16, 16, 3), (200, 90, 80)), atol=3
    )
    rows = rows_of("results/evaluation.json")
    assert set(rows[0]) == {
        *("name", "kind", "path", "render_size", "hints", "colorfulness"),
        *("inception_score", "inception_score_deviation"),
    }


def test_weights_alone_color_photographs_at_any_resolution(evaluate, here, drawn, weights):
    solid(here / "aunt.jpg", (120, 120, 120))
    # 17 is not a multiple of 4, which would suit the two levels of the network.
    assert evaluate("--images", "aunt.jpg", "--resolution", "17") == 0
    assert list(drawn) == ["gray", Path(weights).name, "captions"]
    assert drawn.pop("captions") == ["aunt.jpg"]
    assert {pixels.shape for pixels in drawn.values()} == {(1, 17, 17, 3)}


# --- how many images -----------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "batch_size", "shown"), [("3", "2", 3), ("99", "99", 10)])
def test_the_sheet_has_the_first_images_of_any_batches(
    evaluate, images, drawn, capsys, count, batch_size, shown
):
    options = ("--sample_count", count, "--batch_size", batch_size)
    assert evaluate("--images", "images", *options) == 0
    assert drawn.pop("captions") == [f"{number}.png" for number in range(shown)]
    assert {len(pixels) for pixels in drawn.values()} == {shown}
    assert capsys.readouterr().out.startswith("10 images of ")


def test_one_image_is_evaluated(evaluate, here, capsys):
    solid(here / "set" / "a.png")
    assert evaluate("--dataset", "set", "--json") == 0
    psnr = {row["name"]: float(row["psnr"]) for row in rows_of("results/evaluation.json")}
    # The image has one color, which is the mean color.
    assert psnr["gray"] < 20 < 40 < psnr["constant ab"]


def test_progress_is_shown_on_a_terminal(evaluate, images, capsys, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert evaluate("--images", "images") == 0
    shown = capsys.readouterr().err
    assert "evaluating: " in shown
    assert "10/10 [" in shown


# --- unusable images -----------------------------------------------------------------------------


def test_unusable_images_are_skipped_in_all_rows_and_counted(evaluate, images, here, drawn, capsys):
    shutil.copytree(images, here / "theirs")
    (here / "theirs" / "0.png").write_text("no image")
    solid(here / "theirs" / "1.png", size=(24, 20))
    (here / "theirs" / "2.png").unlink()
    (images / "3.png").write_text("no image")
    options = ("--predictions", "theirs", "--log_dir", "logs", "--sample_count", "10")
    assert evaluate("--images", "images", *options) == 0
    captured = capsys.readouterr()
    title = "6 of 10 images of images (without ground truth) at 16 px; networks run at 16 px\n"
    assert captured.out.startswith(title)
    lacking, skipped = captured.err.splitlines()
    assert lacking.startswith("warning: theirs lacks 1 of 10 images (2.png)")
    assert skipped == (
        "warning: 3 of 9 skipped (2 unreadable, 1 another shape), listed in logs/skipped_images.tsv"
    )
    assert (here / "logs" / "skipped_images.tsv").read_text().count("\n") == 4
    assert drawn.pop("captions") == [f"{number}.png" for number in range(4, 10)]
    assert {len(pixels) for pixels in drawn.values()} == {6}


@pytest.mark.parametrize("option", ["--dataset", "--images"])
def test_images_that_are_all_unreadable_are_a_one_line_error(evaluate, here, capsys, option):
    (here / "set").mkdir()
    for number in range(6):
        (here / "set" / f"{number}.png").write_text("no image")
    assert evaluate(option, "set", "--log_dir", str(here / "logs")) == 2
    assert "more than half of the images cannot be used: " in error_line(capsys)
    assert not (here / "results" / "evaluation.png").exists()


# --- output paths --------------------------------------------------------------------------------


def test_files_are_written_to_the_requested_paths(evaluate, images, here, capsys):
    options = ("--csv", "numbers.txt", "--json", "deep/er/numbers", "--output_dir", "my out")
    assert evaluate("--images", "images", *options) == 0
    assert rows_of("deep/er/numbers")
    assert (here / "numbers.txt").read_text().startswith("name,kind,path,")
    assert files_below(here / "my out") == {"evaluation.png"}
    [last] = re.findall(r"^saved .*$", capsys.readouterr().out, re.MULTILINE)
    files = "my out/evaluation.png, numbers.txt, deep/er/numbers"
    assert last.startswith(f"saved {files}; to view: tensorboard")
    [log_dir] = (here / "logs" / "evaluation").iterdir()
    assert last.endswith(f" --logdir {log_dir.relative_to(here)}")


def test_other_files_are_unchanged(evaluate, images, here):
    shutil.copytree(images, here / "results")
    for name in ("evaluation.csv", "notes.txt"):
        (here / "results" / name).write_text("earlier")
    before = {
        name: (here / "results" / name).read_bytes() for name in files_below(here / "results")
    }
    assert evaluate("--images", "images", "--predictions", "results") == 0
    assert files_below(here / "results") == {*before, "evaluation.png"}
    assert {name: (here / "results" / name).read_bytes() for name in before} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csv", "numbers", "--json", "numbers"],
        ["--csv", "numbers", "--json", "./numbers"],
        ["--json", "results/evaluation.png"],
    ],
)
def test_two_outputs_to_one_file_are_a_one_line_error(evaluate, images, capsys, arguments):
    assert evaluate("--images", "images", *arguments) == 2
    error_line(capsys)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize(
    "name",
    [
        b"line\nbreak",
        *(pytest.param(each, marks=pytest.mark.slow) for each in (b"\xff\xfe", b"\x1b[2J")),
    ],
)
def test_odd_names_are_shown_on_one_line(evaluate, images, weights, here, drawn, capsys, name):
    name = os.fsdecode(name)
    (images / "0.png").rename(images / f"{name}.png")
    shutil.copytree(images, here / name)
    shutil.copytree(weights, here / "w" / name)
    options = ("--weights", f"w/{name}", "--predictions", name, "--output_dir", f"out {name}")
    assert evaluate("--images", "images", *options, "--json", "--sample_count", "10") == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    # The title, a blank line, the heading, three rows, a footnote, a blank line, the paths.
    assert len(captured.out.splitlines()) == 9
    assert "\x1b" not in captured.out
    assert all(text.isprintable() for text in (*drawn["captions"], *list(drawn)[:-1]))
    [_, mine, theirs] = rows_of(Path(f"out {name}", "evaluation.json"))
    assert (mine["path"], theirs["path"]) == (f"w/{name}", name)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_log_dir_may_have_any_name(evaluate, images, here):
    log_dir = os.fsdecode(b"logs \xff")
    assert evaluate("--images", "images", "--log_dir", log_dir) == 0
    assert len(files_below(here / log_dir)) == 1


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "images", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "empty"], "--dataset: empty: no images in this folder or its subfolders"),
        (["--dataset", "file"], "--dataset: file: is a file"),
        (["--dataset", "absent\nline"], r"--dataset: absent\nline: does not exist"),
        (["--images", "absent"], "--images absent: there is no such file or folder"),
        (["--images", "empty"], "--images empty: no images found"),
        (["--weights", "absent"], "absent is not a folder of weights"),
        (["--weights", "empty"], "empty is not a folder of weights"),
        (["--weights", "file"], "--weights file: it is a file"),
        (["--weights", "broken"], "broken/generator.weights.h5 cannot be loaded"),
        (["--load_weights"], "weights/sagan is not a folder of weights"),
        (["--predictions", "absent"], "--predictions absent: No such file or directory"),
        (["--predictions", "file"], "--predictions file: Not a directory"),
        (["--predictions", "empty"], "--predictions empty: no file in it is named like"),
        (
            ["--feature_network", "file"],
            "--feature_network: file: it cannot be read as Keras' weights",
        ),
        (["--feature_network", "absent.keras"], "--feature_network: absent.keras: there is no"),
        (["--output_dir", "file"], "--output_dir file: File exists"),
        (["--output_dir", "file/a"], "--output_dir file/a: Not a directory"),
        (["--csv", "empty"], "--csv: empty is a folder"),
        (["--json", "empty/"], "--json: empty/ is a folder"),
        (["--csv", "file/a.csv"], "--csv file: File exists"),
    ],
)
def test_what_cannot_be_evaluated_is_a_one_line_error_and_leaves_no_files(
    evaluate, images, weights, here, capsys, arguments, words
):
    (here / "empty").mkdir()
    (here / "file").write_text("")
    shutil.copytree(weights, here / "broken")
    (here / "broken" / "generator.weights.h5").write_text("no weights")
    names = [] if {"--dataset", "--images"}.intersection(arguments) else ["--dataset", "images"]
    before = all_below(here)
    assert evaluate(*names, *arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert all_below(here) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["--csv", "--weights", "absent"],
        ["--json", "deep/numbers.json", "--weights", "absent"],
        ["--csv", "deep/numbers.csv", "--json", "empty"],
        ["--log_dir", "file"],
        ["--csv", "deep/numbers.csv", "--output_dir", "file"],
    ],
)
def test_an_error_leaves_no_folder_for_files_that_were_not_written(
    evaluate, images, here, capsys, arguments
):
    (here / "file").write_text("")
    (here / "empty").mkdir()
    before = all_below(here)
    assert evaluate("--images", "images", *arguments) == 2
    error_line(capsys)
    assert all_below(here) == before


@pytest.mark.parametrize("option", ["--output_dir", "--log_dir"])
def test_a_folder_that_cannot_be_written_is_reported_before_the_images_are_read(
    evaluate, here, capsys, option
):
    (here / "file").write_text("")
    (here / "set").mkdir()
    for number in range(6):
        (here / "set" / f"{number}.png").write_text("no image")
    assert evaluate("--dataset", "set", option, "file") == 2
    assert f"{option} file: File exists" in error_line(capsys)


def test_a_folder_at_the_path_of_the_sheet_is_a_one_line_error(evaluate, images, here, capsys):
    solid(here / "results" / "evaluation.png" / "inside.png")
    assert evaluate("--images", "images") == 2
    assert "results/evaluation.png is a folder" in error_line(capsys)
    assert files_below(here / "results") == {"evaluation.png/inside.png"}


def test_out_of_memory_is_a_one_line_error(evaluate, images, capsys, monkeypatch):
    def too_large(*arguments):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating")

    monkeypatch.setattr(Evaluator, "update", too_large)
    assert evaluate("--images", "images") == 2
    assert "a step of 5 images of 16 px does not fit into memory" in error_line(capsys)


def test_ctrl_c_leaves_the_earlier_sheet(evaluate, images, here, capsys, monkeypatch):
    solid(here / "results" / "evaluation.png")
    before = (here / "results" / "evaluation.png").read_bytes()
    monkeypatch.setattr(Evaluator, "update", lambda *_: os.kill(os.getpid(), signal.SIGINT))
    # A shell without job control starts its background processes with the signal ignored.
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert evaluate("--images", "images", "--csv") == 130
    finally:
        signal.signal(signal.SIGINT, previous_handler)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "interrupted\n")
    assert files_below(here / "results") == {"evaluation.png"}
    assert (here / "results" / "evaluation.png").read_bytes() == before
