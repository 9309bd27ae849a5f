"""The cache of frozen generators is used for the same weights only, and its faults do no harm."""

import os
import shutil

import keras
import numpy as np
import pytest

from inference import generator_cache
from inference.frozen_generator import FrozenGenerator
from inference.generator_cache import cached_generator
from models.checkpoints.folder import WeightsFolder

LIGHTNESS = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 1)).astype("float32")


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The folder of the cache, which does not exist yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    monkeypatch.setattr("sys.platform", "linux")
    return tmp_path / "cache" / "colorizer"


@pytest.fixture
def folder(tmp_path):
    found = WeightsFolder(tmp_path / "weights")
    found.write_settings({"model": "sagan", "architecture": {}})
    found.save_generator(network())
    return found


def network():
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])


class Built:
    """Builds the generator and counts how often."""

    def __init__(self):
        self.count = 0

    def __call__(self):
        self.count += 1
        return network()


@pytest.fixture
def build():
    return Built()


def test_the_second_time_nothing_is_built(cache, folder, build):
    first = cached_generator(folder, 32, build)
    second = cached_generator(folder, 32, build)
    assert build.count == 1
    np.testing.assert_array_equal(first(LIGHTNESS), second(LIGHTNESS))
    np.testing.assert_allclose(first(LIGHTNESS), network()(LIGHTNESS), atol=1e-6)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(
    "change", ["weights", "settings", "side", "precision", "versions", "flags"]
)
def test_whatever_changes_is_built_again(cache, folder, build, change, monkeypatch):
    cached_generator(folder, 32, build)
    side = 32
    if change == "weights":
        folder.save_generator(keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)]))
    elif change == "settings":
        folder.write_settings({"model": "sagan", "architecture": {"filters": 2}})
    elif change == "side":
        side = 48
    elif change == "precision":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    elif change == "versions":
        monkeypatch.setattr("tensorflow.__version__", "99")
    else:
        monkeypatch.setattr(generator_cache, "processor_flags", lambda: {"abacus"})
    cached_generator(folder, side, build)
    assert build.count == 2


def test_a_damaged_file_is_replaced(cache, folder, build):
    cached_generator(folder, 32, build)
    [path] = cache.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    cached_generator(folder, 32, build)
    cached_generator(folder, 32, build)
    assert build.count == 2


def test_a_folder_that_cannot_be_written_is_no_error(cache, folder, build):
    cache.parent.mkdir()
    cache.write_text("a file where the folder should be")
    colored = cached_generator(folder, 32, build)(LIGHTNESS)
    np.testing.assert_allclose(colored, network()(LIGHTNESS), atol=1e-6)


def test_a_user_without_a_home_is_no_error(folder, build, monkeypatch):
    def home():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", home)
    colored = cached_generator(folder, 32, build)(LIGHTNESS)
    np.testing.assert_allclose(colored, network()(LIGHTNESS), atol=1e-6)


def test_only_the_files_that_were_used_last_are_kept(cache, folder, build, monkeypatch):
    # The cache of the tests keeps more.
    monkeypatch.setattr(generator_cache, "MOST_FILES", 4)
    for age, side in enumerate((16, 32, 48, 64)):
        cached_generator(folder, side, build)
        newest = max(cache.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (1e9 + age, 1e9 + age))
    cached_generator(folder, 16, build)
    cached_generator(folder, 80, build)
    assert len(list(cache.iterdir())) == 4
    cached_generator(folder, 16, build)
    assert build.count == 5
    cached_generator(folder, 32, build)
    assert build.count == 6


def test_missing_weights_are_reported_by_the_builder(cache, folder):
    shutil.rmtree(folder.path)

    def build():
        raise ValueError("no weights")

    with pytest.raises(ValueError, match="no weights"):
        cached_generator(folder, 32, build)


def test_nothing_is_cached_for_a_gpu(cache, folder, build, monkeypatch):
    monkeypatch.setattr(generator_cache, "has_gpu", lambda: True)
    generator = cached_generator(folder, 32, build)
    assert not isinstance(generator, FrozenGenerator)
    assert not cache.exists()
