"""Tests of the export of weights."""

import json

import keras
import numpy as np

from jobs.export import weights as export_weights
from models.checkpoints.folder import WeightsFolder
from models.sagan import SAGAN

ARCHITECTURE = {
    "filters": 2,
    "depth": 1,
    "attention_level": 1,
    "norm": "batch",
    "encoder": "none",
    "discriminator_filters": 2,
}


def test_exported_weights_color_alike_and_hold_no_path(tmp_path):
    source, target = WeightsFolder(tmp_path / "trained"), WeightsFolder(tmp_path / "shipped")
    trained = SAGAN.build_generator(ARCHITECTURE)
    source.save_generator(trained)
    settings = {"dataset": ["/home/me/images"], "cache": "/tmp/cache", "epochs": 3}
    source.write_settings({"model": "sagan", "architecture": ARCHITECTURE, "settings": settings})

    assert export_weights.main([str(source.path), str(target.path), "--render_size", "64"]) == 0

    text = (target.path / "settings.json").read_text()
    assert "/home/me" not in text
    assert json.loads(text)["settings"] == {"epochs": 3}
    assert target.read_settings()["render_size"] == 64
    exported = SAGAN.build_generator(ARCHITECTURE)
    target.load_generator(exported)
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 1)).astype("float32")
    np.testing.assert_allclose(exported(lightness), trained(lightness), atol=1e-3)


def test_a_folder_without_weights_is_a_one_line_error(tmp_path, capsys):
    assert export_weights.main([str(tmp_path), str(tmp_path / "out"), "--render_size", "64"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_weights_of_an_earlier_stage_are_mixed_in(tmp_path):
    generators = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        generators.append(SAGAN.build_generator(ARCHITECTURE))
        folder = WeightsFolder(tmp_path / f"stage{seed}")
        folder.write_settings({"model": "sagan", "architecture": ARCHITECTURE})
        folder.save_generator(generators[-1])
    target = WeightsFolder(tmp_path / "shipped")
    options = ["--render_size", "64", "--mixed_with", str(tmp_path / "stage1"), "--share", "0.25"]
    assert export_weights.main([str(tmp_path / "stage2"), str(target.path), *options]) == 0
    mixed = SAGAN.build_generator(ARCHITECTURE)
    target.load_generator(mixed)
    weights = (each.get_weights() for each in (*generators, mixed))
    for earlier, later, found in zip(*weights, strict=True):
        np.testing.assert_allclose(found, 0.25 * earlier + 0.75 * later, rtol=1e-3, atol=1e-6)
