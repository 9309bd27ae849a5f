"""Tests of the settings that follow from the model, the preset and pretrained weights."""

import pytest

from config.parser import parse
from errors import InputError
from jobs.train.build import new_model
from jobs.train.resolve import resolve_settings
from models.checkpoints.folder import WeightsFolder
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN


def resolved_model(settings, explicit):
    settings = resolve_settings(settings, explicit)
    return new_model(settings), settings


def started_from(folder, *arguments, **architecture):
    """Returns the model and the settings of a training that starts from weights of pix2pix."""
    network = {
        **{"filters": 2, "depth": 2, "norm": "batch", "encoder": "none", "input_channels": 1},
        **{"discriminator": "patch", "discriminator_filters": 2, **architecture},
    }
    source = WeightsFolder(folder / "source")
    source.write_settings({"model": "pix2pix", "architecture": network})
    source.save_generator(Pix2Pix.build_generator(network))
    settings, explicit = parse(["--model", "pix2pix", "--pretrained", str(source.path), *arguments])
    return resolved_model(settings, explicit)


def test_colors_of_older_weights_are_as_fine_as_the_image(tmp_path):
    architecture = SAGAN(filters=2, depth=2, attention_level=1).architecture
    new = ("attention_pool", "color_stride")
    source = WeightsFolder(tmp_path / "source")
    older = {name: value for name, value in architecture.items() if name not in new}
    source.write_settings({"model": "sagan", "architecture": older})
    source.save_generator(SAGAN.build_generator(older))
    settings, explicit = parse(["--pretrained", str(source.path)])
    model, settings = resolved_model(settings, explicit)
    assert (model.color_stride, settings.color_stride, settings.attention_pool) == (1, 1, 1)
    for name, value in (("--color_stride", "4"), ("--attention_pool", "2")):
        settings, explicit = parse(["--pretrained", str(source.path), name, value])
        with pytest.raises(InputError, match=f"{name} {value}: the weights in .* with 1"):
            resolve_settings(settings, explicit)


def test_images_have_whole_squares_of_the_pretrained_color_stride(tmp_path):
    model = SAGAN(filters=2, depth=2, discriminator_filters=2, color_stride=4)
    source = WeightsFolder(tmp_path / "source")
    source.write_settings({"model": "sagan", "architecture": model.architecture})
    source.save_generator(model.generator)
    settings, explicit = parse(["--pretrained", str(source.path), "--resolution", "130"])
    with pytest.raises(InputError, match="--resolution 130: with --color_stride 4 the side must"):
        resolve_settings(settings, explicit)


def test_discriminator_may_differ_from_that_of_the_weights(tmp_path):
    model, settings = started_from(tmp_path, "--discriminator", "pixel")
    assert model.architecture["discriminator"] == settings.discriminator == "pixel"
    assert settings.discriminator_filters == 64
    model, settings = started_from(tmp_path, "--discriminator_filters", "3", discriminator="pixel")
    assert model.architecture["discriminator"] == settings.discriminator == "pixel"
    assert model.architecture["discriminator_filters"] == 3


def test_discriminator_is_that_of_the_preset(tmp_path):
    # The generator is that of the weights, whatever the preset sets.
    model, settings = started_from(tmp_path, "--preset", "adversarial-conv4")
    assert model.architecture["discriminator"] == settings.discriminator == "conv4"
    assert model.architecture["discriminator_filters"] == 16
    assert model.architecture["depth"] == settings.depth == 2
    with pytest.raises(InputError, match=r"--depth 7: the weights in .* were trained with 2"):
        started_from(tmp_path, "--preset", "adversarial-conv4", "--depth", "7")


def test_preset_that_starts_from_another_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings, explicit = parse(["--preset", "ls-gan", "--resolution", "64"])
    with pytest.raises(InputError) as caught:
        resolve_settings(settings, explicit)
    assert str(caught.value) == (
        "--preset ls-gan starts from weights/unet-l1, which holds no weights; train them with "
        "--preset unet-l1 first, or give other weights with --pretrained"
    )
    started_from(tmp_path, encoder="none")
    (tmp_path / "weights").mkdir()
    (tmp_path / "source").rename("weights/unet-l1")
    model, settings = resolved_model(settings, explicit)
    assert model.architecture["depth"] == settings.depth == 2
    assert settings.encoder == "none"


def test_freezing_an_encoder_that_the_weights_do_not_have_is_refused(tmp_path):
    started_from(tmp_path, encoder="none")
    options = ["--preset", "ls-gan", "--pretrained", str(tmp_path / "source")]
    settings, explicit = parse([*options, "--freeze_encoder_epochs", "1"])
    with pytest.raises(InputError, match="--freeze_encoder_epochs"):
        resolve_settings(settings, explicit)


def test_discriminator_of_the_weights_is_refused_where_it_cannot_be_used(tmp_path):
    with pytest.raises(InputError, match="conv4 takes images of at least 121 px"):
        started_from(tmp_path, "--resolution", "64", discriminator="conv4")
    with pytest.raises(InputError, match="give --norm instance or none"):
        started_from(
            tmp_path, "--adversarial", "wgan-gp", "--norm", "batch", "--discriminator", "patch"
        )


def test_defaults_that_depend_on_the_model_are_filled_in():
    settings, explicit = parse(["--model", "pix2pix", "--resolution", "32", "--filters", "2"])
    settings = resolve_settings(settings, explicit)
    assert (settings.depth, settings.discriminator_filters) == (5, 64)
