"""Tests of which weights a job colors with, and of how they are loaded."""

import json

import pytest

from config.groups.presets import PRETRAINED_WEIGHTS
from config.parser import parse
from config.settings import Settings
from errors import InputError
from jobs.common.load_colorizer import load_colorizer, weights_folders
from models.checkpoints.folder import WeightsFolder
from models.sagan import SAGAN

PRETRAINED_MODELS = ("sagan", "pix2pix", "chromagan")


@pytest.mark.parametrize(
    ("arguments", "paths"),
    [
        ([], [str(PRETRAINED_WEIGHTS / "sagan")]),
        (["--weights", "a", "b/c"], ["a", "b/c"]),
        (["--weights", "a", "--weights", "b"], ["a", "b"]),
        (["--load_weights"], ["weights/sagan"]),
        (["--load_weights", "--weights_dir", "mine"], ["mine"]),
    ],
)
def test_weights_are_the_explicit_or_the_pretrained_ones(arguments, paths):
    settings, _ = parse(["--evaluate", *arguments])
    assert [str(folder.path) for folder in weights_folders(settings)] == paths


@pytest.mark.parametrize("model", PRETRAINED_MODELS)
def test_pretrained_weights_are_there(model):
    [folder] = weights_folders(Settings(model=model))
    assert folder.read_settings()["model"] == model
    assert "render_size" in folder.read_settings()
    assert (folder.path / "README.md").exists()


def test_pretrained_weights_are_small_enough_for_a_repository():
    size = {
        model: sum(file.stat().st_size for file in (PRETRAINED_WEIGHTS / model).iterdir()) / 2**20
        for model in PRETRAINED_MODELS
    }
    assert size["sagan"] <= 40
    assert size["pix2pix"] + size["chromagan"] <= 70


def test_a_model_without_pretrained_weights_is_refused():
    with pytest.raises(InputError) as caught:
        weights_folders(Settings(model="encoder_decoder"))
    message = str(caught.value)
    assert "no pretrained weights ship for --model encoder_decoder; looked for " in message
    assert str(PRETRAINED_WEIGHTS / "encoder_decoder") in message
    assert "--weights instead of --model" in message


def test_a_colorizer_has_the_explicit_settings(weights):
    settings = Settings(batch_size=3, saturation=0.5, calm=0.25, flip_average=True)
    colorizer = load_colorizer(WeightsFolder(weights), settings)
    assert (colorizer.batch_size, colorizer.saturation, colorizer.flip_average) == (3, 0.5, True)
    assert colorizer.calm == 0.25
    # This size is saved with the weights.
    assert colorizer.render_size == 32


def test_coarse_colors_need_a_multiple_of_their_pixels(tmp_path):
    folder = WeightsFolder(tmp_path)
    architecture = SAGAN(2, depth=2, discriminator_filters=2, color_stride=4).architecture
    settings = {"model": "sagan", "architecture": architecture, "render_size": 32}
    folder.write_settings(settings)
    folder.save_generator(SAGAN.build_generator(architecture))
    assert load_colorizer(folder, Settings()).render_size == 32
    with pytest.raises(InputError, match="multiple of 4 px; received 67; give a render_size of 64"):
        load_colorizer(folder, Settings(), render_size=67)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (
            {"version": 2, "model": "pix2pix", "architecture": {}},
            "does not describe a network of this program",
        ),
        (
            {"version": 2, "model": "sagan", "architecture": {}},
            "does not describe a network of this program",
        ),
        (
            {"version": 2, "architecture": {}},
            "does not describe a network of this program: 'model'",
        ),
        ({"model": "sagan"}, "there is no architecture in it"),
        ({"version": 99, "architecture": {}}, "update the program"),
    ],
)
def test_settings_that_describe_no_network_are_refused(tmp_path, settings, words):
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(InputError) as caught:
        load_colorizer(WeightsFolder(tmp_path), Settings())
    message = str(caught.value)
    assert words in message
    assert str(tmp_path) in message
