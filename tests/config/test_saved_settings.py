"""What a folder of weights says of its training holds wherever the program is called from."""

import os

from config.saved_settings import saved_names, saved_settings
from config.settings import Settings


def test_paths_are_kept_whole_and_names_as_they_are(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        dataset=["images", "coco:sets/coco", "demo"], cache="memory", encoder_weights="a.h5"
    )
    kept = saved_settings(settings)
    here = os.getcwd()
    assert kept["dataset"] == [f"{here}/images", f"coco:{here}/sets/coco", "demo"]
    assert kept["encoder_weights"] == f"{here}/a.h5"
    assert kept["cache"] == "memory"
    assert kept["perceptual_weights"] is None
    assert kept["epochs"] == settings.epochs


def test_what_is_of_the_call_alone_is_not_kept():
    names = saved_names()
    assert {"epochs", "target_saturation", "color_rebalancing"} <= set(names)
    assert not {"load_weights", "weights_dir", "strategy", "render_size"}.intersection(names)
