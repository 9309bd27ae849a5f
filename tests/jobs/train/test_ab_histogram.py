"""Tests of the ab histogram for color rebalancing: saved with the weights, or counted."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

import run
from config.parser import parse
from data.image_io import READER_VERSION
from errors import InputError
from jobs.train.ab_histogram import find_ab_histogram
from jobs.train.dataset import TrainingData, find_training_images
from models.checkpoints.folder import WeightsFolder
from tests.weights_files import arrays_in

OLD, NEW = np.eye(23, dtype="int64"), np.ones((23, 23), "int64")


@pytest.fixture
def folder(tmp_path):
    folder = WeightsFolder(tmp_path)
    folder.write_ab_histogram(OLD)
    return folder


def generator_arrays(name):
    arrays = arrays_in(WeightsFolder(name).path / "generator.weights.h5")
    assert len(arrays) > 10
    return arrays


def find(folder, *arguments):
    settings, explicit = parse(["--reconstruction", "l1:1", *arguments])
    data = SimpleNamespace(ab_histogram=lambda: NEW)
    return find_ab_histogram(settings, explicit - {"reconstruction"}, folder, data)


@pytest.mark.parametrize(
    ("arguments", "counts"),
    [
        ([], NEW),
        (["--load_weights"], OLD),
        (["--load_weights", "--crop_scale", "0.9", "--batch_size", "3"], OLD),
        (["--load_weights", "--target_saturation", "1.1"], NEW),
        (["--load_weights", "--dataset", "others"], NEW),
        (["--load_weights", "--dataset", "a", "b", "--dataset_weights", "3", "1"], NEW),
    ],
)
def test_a_resumed_training_uses_the_saved_histogram_unless_colors_change(
    folder, arguments, counts
):
    assert find(folder, "--color_rebalancing", "0.5", *arguments) is not None
    np.testing.assert_array_equal(find(folder, "--color_rebalancing", "1", *arguments), counts)


@pytest.mark.parametrize("arguments", [[], ["--color_rebalancing", "0"]], ids=["default", "zero"])
def test_nothing_is_counted_without_color_rebalancing(folder, arguments):
    assert find(folder, *arguments) is None


def test_nothing_is_counted_for_terms_with_a_weight_of_zero(folder):
    settings, explicit = parse(["--reconstruction", "mse:1", "--color_rebalancing", "0.5"])
    settings = dataclasses.replace(settings, reconstruction=("mse:0", "ssim:1"))
    assert find_ab_histogram(settings, explicit, folder, None) is None


def test_a_histogram_that_was_not_saved_is_counted(tmp_path):
    counts = find(WeightsFolder(tmp_path), "--load_weights", "--color_rebalancing", "0.5")
    np.testing.assert_array_equal(counts, NEW)


def test_a_damaged_histogram_is_a_one_line_error(folder):
    (folder.path / f"ab_histogram_{READER_VERSION}.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match=r"ab_histogram_\d+\.npy cannot be read: .*; remove it"):
        find(folder, "--load_weights", "--color_rebalancing", "0.5")


def test_colors_of_the_training_batches_are_counted(images, here):
    def counts(*arguments):
        options = ["--dataset", "images", "--resolution", "16", "--batch_size", "50"]
        options += ["--steps_per_epoch", "1", "--cache", "memory", *arguments]
        settings, _ = parse(options)
        return TrainingData(settings, find_training_images(settings), "logs").ab_histogram()

    true = counts()
    # Whole batches of fifty images are counted, at least 2048 images.
    assert true.sum() == 2050 * 16 * 16
    distances = np.hypot(*np.meshgrid(np.arange(-11, 12), np.arange(-11, 12)))
    strong = counts("--target_saturation", "1.5")
    assert (strong * distances).sum() > 1.1 * (true * distances).sum()


@pytest.mark.slow
def test_stopped_and_resumed_training_is_the_same_to_the_last_bit(train, stop_after, monkeypatch):
    options = ("--epochs", "2", "--sample_every", "0", "--deterministic")
    options += ("--color_rebalancing", "0.5", "--target_saturation", "1.2")
    assert train(*options, "--weights_dir", "straight") == 0
    stop_after(3)
    assert train(*options, "--weights_dir", "broken") == 130
    monkeypatch.setattr(TrainingData, "ab_histogram", None)
    assert run.main(["--load_weights", "--weights_dir", "broken"]) == 0
    straight, broken = map(generator_arrays, ("straight", "broken"))
    assert straight.keys() == broken.keys()
    for path, array in straight.items():
        np.testing.assert_array_equal(broken[path], array)


def test_histogram_of_another_version_of_the_reader_is_counted_anew(tmp_path):
    folder = WeightsFolder(tmp_path)
    (tmp_path / f"ab_histogram_{READER_VERSION - 1}.npy").write_bytes(b"an old one")
    assert folder.read_ab_histogram() is None
