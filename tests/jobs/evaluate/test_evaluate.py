"""Tests of `run.py --evaluate`: the table, the files and the contact sheet."""

import csv
import io
import json
import math
import os
import re
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
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
from metrics.table import format_table
from models.checkpoints.folder import WeightsFolder
from models.sagan import SAGAN
from tests.jobs.evaluate.evaluated import (
    FEW,
    files_below,
    pixels_of,
    record_drawn_images,
    rows_of,
    solid,
)

FIXED = ["truth", "gray", "constant ab"]
MISSING = {"lpips", "inception_score", "inception_score_deviation"}


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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_log_dir_may_have_any_name(evaluate, images, here):
    log_dir = os.fsdecode(b"logs \xff")
    assert evaluate("--images", "images", "--log_dir", log_dir) == 0
    assert len(files_below(here / log_dir)) == 1
