"""Weights and settings on disk: saved and loaded, or a clear error."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from errors import InputError
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.checkpoints.version import VERSION


def network(units=3, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


@pytest.fixture
def folder(tmp_path):
    return WeightsFolder(tmp_path / "weights")


def test_settings_are_restored(folder):
    folder.write_settings({"model": "sagan", "architecture": {"filters": 2}})
    assert folder.read_settings()["architecture"] == {"filters": 2}
    assert folder.read_settings()["version"] == VERSION


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"version": VERSION + 1}, "has version 3, but this program reads version 2; update"),
        # The first version had the key `format`.
        ({"format": 1}, "has version 1, but this program reads version 2; use the program that"),
        ({"version": "2"}, "has version '2', but this program reads version 2; use the program"),
    ],
)
def test_settings_of_another_version_are_refused(folder, settings, words):
    folder.write_settings({"architecture": {}})
    path = folder.path / "settings.json"
    path.write_text(json.dumps({**settings, "architecture": {}}))
    for read in (folder.read_settings, folder.check_version):
        with pytest.raises(InputError, match=words):
            read()


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_a_folder_without_readable_settings_passes_the_version_check(folder, content):
    if content is not None:
        folder.path.mkdir()
        (folder.path / "settings.json").write_text(content)
    folder.check_version()


def test_absent_and_broken_settings_are_an_error(folder):
    with pytest.raises(InputError, match="not a folder of weights"):
        folder.read_settings()
    folder.path.mkdir()
    (folder.path / "settings.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        folder.read_settings()


@pytest.mark.parametrize(("half", "tolerance"), [(False, 0.0), (True, 1e-3)])
def test_generator_is_restored(folder, half, tolerance):
    saved, loaded = network(seed=1), network(seed=2)
    folder.save_generator(saved, half=half)
    folder.load_generator(loaded)
    for left, right in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=tolerance)
        assert right.dtype == "float32"
    assert [path.name for path in folder.path.iterdir()] == ["generator.weights.h5"]


def test_half_precision_halves_the_file(folder):
    big = network(units=100_000)
    folder.save_generator(big)
    whole = (folder.path / "generator.weights.h5").stat().st_size
    folder.save_generator(big, half=True)
    assert (folder.path / "generator.weights.h5").stat().st_size < 0.55 * whole


def test_weights_of_another_network_are_refused(folder):
    folder.save_generator(network(units=3))
    with pytest.raises(InputError, match="from another network"):
        folder.load_generator(network(units=4))


def test_a_broken_or_absent_file_is_refused(folder):
    with pytest.raises(InputError, match="no weights to color with"):
        folder.load_generator(network())
    folder.save_generator(network())
    path = folder.path / "generator.weights.h5"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be loaded"):
        folder.load_generator(network())


def test_paths_inside_the_folder_are_fixed(folder):
    paths = [folder.of_lowest_loss.path, folder.of_lowest_training_loss.path, folder.curves]
    assert [path.relative_to(folder.path).as_posix() for path in paths] == [
        "lowest_loss",
        "lowest_training_loss",
        "curves.png",
    ]


def test_a_full_disk_is_reported_before_anything_is_written(folder, monkeypatch):
    folder.save_generator(network())
    before = (folder.path / "generator.weights.h5").read_bytes()
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="the disk is full: the generator takes"):
        folder.save_generator(network(seed=2))
    assert (folder.path / "generator.weights.h5").read_bytes() == before


def test_a_folder_with_a_checkpoint_holds_weights(folder):
    assert not folder.holds_weights()
    folder.checkpoints.save(network(), Progress(), {}, keep=1)
    assert folder.holds_weights()
