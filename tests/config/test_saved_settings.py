"""The saved settings of a training do not depend on the working directory."""

import os

from config.saved_settings import saved_names, saved_settings
from config.settings import Settings


def test_paths_are_saved_as_absolute_paths_and_names_unchanged(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        dataset=("images", "coco:sets/coco", "demo"), cache="memory", encoder_weights="a.h5"
    )
    saved = saved_settings(settings)
    folder = os.getcwd()
    assert saved["dataset"] == [f"{folder}/images", f"coco:{folder}/sets/coco", "demo"]
    assert saved["encoder_weights"] == f"{folder}/a.h5"
    assert saved["cache"] == "memory"
    assert saved["perceptual_weights"] is None
    assert saved["epochs"] == settings.epochs


def test_options_of_a_single_call_are_not_saved():
    names = saved_names()
    assert {"epochs", "target_saturation", "color_rebalancing"} <= set(names)
    assert not {"load_weights", "weights_dir", "strategy", "render_size"}.intersection(names)
