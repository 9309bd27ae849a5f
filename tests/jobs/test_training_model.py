"""A model is compiled as the settings say."""

import keras
import pytest

from errors import InputError
from jobs.command_line import parse
from jobs.training_model import compile_model, new_model
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN
from models.weights_folder import WeightsFolder

SMALL = ["--filters", "2", "--depth", "1", "--adversarial", "none", "--reconstruction", "l1:1"]


def compiled(*arguments):
    settings, given = parse([*SMALL, *arguments])
    model, settings = new_model(settings, given)
    compile_model(model, settings, given)
    return model


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ([], ["psnr", "colorfulness", "true_colorfulness"]),
        (["--validation_metrics", "ssim"], ["ssim"]),
        (["--validation_metrics", "ssim", "psnr", "ssim"], ["ssim", "psnr"]),
    ],
)
def test_validation_measures_what_is_asked_for(arguments, names):
    assert [metric.name for metric in compiled(*arguments).validation_metrics] == names


def test_lpips_without_its_weights_is_one_line():
    with pytest.raises(InputError) as caught:
        compiled("--validation_metrics", "lpips", "--lpips_weights", "absent.npz")
    message = str(caught.value)
    assert message.startswith("absent.npz: there is no such file; give the weights of LPIPS")


def test_lpips_of_pictures_that_are_too_small_is_one_line():
    with pytest.raises(InputError, match="at least 31 px; received --resolution 16"):
        compiled("--validation_metrics", "lpips", "--resolution", "16")


@pytest.mark.parametrize("model", ["sagan", "pix2pix", "chromagan"])
def test_encoder_keeps_the_moments_of_its_weights(model, tmp_path):
    path = str(tmp_path / "encoder.weights.h5")
    keras.applications.MobileNetV2(weights=None, include_top=False).save_weights(path)
    small = [
        "--model",
        model,
        "--filters",
        "2",
        "--adversarial",
        "none",
        "--reconstruction",
        "l1:1",
    ]
    small += ["--global_features", "pool"] if model == "chromagan" else []
    for weights, keeps in ((path, True), ("none", False)):
        options = ["--encoder", "mobilenet_v2", "--encoder_weights", weights]
        settings, given = parse([*small, *options])
        built, _ = new_model(settings, given)
        assert built.architecture["keeps_encoder_moments"] is keeps
        # What colors is built from the architecture alone, and so is what is gone on with.
        for network in (built.generator, built.slow_generator):
            normalizations = [
                layer
                for layer in network.get_layer("mobilenet_v2")._flatten_layers()
                if isinstance(layer, FusedBatchNormalization)
            ]
            assert len(normalizations) > 10
            assert {layer.keeps_moments for layer in normalizations} == {keeps}


def test_weights_of_before_kept_no_moments():
    architecture = {"filters": 2, "depth": 5, "attention_level": 2, "norm": "batch"}
    architecture |= {"encoder": "mobilenet_v2", "discriminator_filters": 2}
    generator = SAGAN.build_generator(architecture)
    assert not any(getattr(each, "keeps_moments", False) for each in generator._flatten_layers())
    assert not SAGAN(**architecture).architecture["keeps_encoder_moments"]


# --- weights to start from -----------------------------------------------------------------------


def started_from(folder, *arguments, **architecture):
    """The architecture of a training that begins with weights of pix2pix."""
    network = {
        **{"filters": 2, "depth": 2, "norm": "batch", "encoder": "none", "input_channels": 1},
        **{"discriminator": "patch", "discriminator_filters": 2, **architecture},
    }
    source = WeightsFolder(folder / "source")
    source.write_settings({"model": "pix2pix", "architecture": network})
    source.save_generator(Pix2Pix.build_generator(network))
    settings, given = parse(["--model", "pix2pix", "--pretrained", str(source.path), *arguments])
    return new_model(settings, given)


def test_discriminator_may_be_another_one(tmp_path):
    model, settings = started_from(tmp_path, "--discriminator", "pixel")
    assert model.architecture["discriminator"] == settings.discriminator == "pixel"
    assert settings.discriminator_filters == 64
    model, settings = started_from(tmp_path, "--discriminator_filters", "3", discriminator="pixel")
    assert model.architecture["discriminator"] == settings.discriminator == "pixel"
    assert model.architecture["discriminator_filters"] == 3


def test_discriminator_is_that_of_the_preset(tmp_path):
    # The generator is that of the weights, whatever the preset begins with.
    model, settings = started_from(tmp_path, "--preset", "adversarial-conv4")
    assert model.architecture["discriminator"] == settings.discriminator == "conv4"
    assert model.architecture["discriminator_filters"] == 16
    assert model.architecture["depth"] == settings.depth == 2
    with pytest.raises(InputError, match=r"--depth 7: the weights in .* were trained with 2"):
        started_from(tmp_path, "--preset", "adversarial-conv4", "--depth", "7")


def test_preset_that_goes_on_from_another_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings, given = parse(["--preset", "ls-gan", "--resolution", "64"])
    with pytest.raises(InputError) as caught:
        new_model(settings, given)
    assert str(caught.value) == (
        "--preset ls-gan goes on from weights/unet-l1, and there are no weights; train them with "
        "--preset unet-l1 first, or name others with --pretrained"
    )
    started_from(tmp_path, encoder="none")
    (tmp_path / "weights").mkdir()
    (tmp_path / "source").rename("weights/unet-l1")
    model, settings = new_model(settings, given)
    assert model.architecture["depth"] == settings.depth == 2
    assert settings.encoder == "none"


def test_discriminator_of_the_weights_is_refused_where_it_cannot_judge(tmp_path):
    with pytest.raises(InputError, match="conv4 takes pictures of at least 121 px"):
        started_from(tmp_path, "--resolution", "64", discriminator="conv4")
    with pytest.raises(InputError, match="give --norm instance or none"):
        started_from(
            tmp_path, "--adversarial", "wgan-gp", "--norm", "batch", "--discriminator", "patch"
        )


def test_what_was_left_to_the_model_is_settled():
    settings, given = parse(["--model", "pix2pix", "--resolution", "32", "--filters", "2"])
    _, settings = new_model(settings, given)
    assert (settings.depth, settings.discriminator_filters) == (5, 64)
