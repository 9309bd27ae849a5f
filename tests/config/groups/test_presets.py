"""The defaults of each model, and the presets."""

from pathlib import Path

import pytest

from config.groups.presets import PRESETS
from config.parser import parse

OF_MODELS = {
    "pix2pix": {
        **{"network_depth": 7, "filters": 64, "generator_lr": 2e-4, "discriminator_lr": 2e-4},
        **{"beta_1": 0.5, "beta_2": 0.999, "label_smoothing": 0.0, "decoder_attention": False},
        **{"adversarial": "vanilla", "adversarial_weight": 1.0, "reconstruction": ("l1:100",)},
        **{"discriminator": "patch", "first_discriminator_filters": 64},
    },
    "chromagan": {
        **{"resolution": 224, "batch_size": 10, "filters": 64, "encoder": "vgg16"},
        **{"generator_lr": 2e-5, "discriminator_lr": 2e-5, "beta_1": 0.5, "beta_2": 0.999},
        **{"adversarial": "wgan-gp", "adversarial_weight": 0.1, "class_weight": 0.003},
        **{"gp_weight": 10.0, "reconstruction_weights": {"mse": 1.0}, "norm": "batch"},
        **{"encoder_weights": "imagenet", "teacher": "vgg16", "teacher_weights": None},
        **{"global_features": "flatten", "first_discriminator_filters": 64},
    },
    "encoder_decoder": {
        **{"resolution": 400, "batch_size": 16, "epochs": 50, "filters": 32, "norm": "none"},
        **{"encoder": "inception_resnet_v2", "encoder_weights": "imagenet"},
        **{"skip_connections": False, "decoder_attention": False, "adversarial": "none"},
        **{"reconstruction_weights": {"mse": 1.0}, "optimizer": "adam", "weight_decay": None},
        **{"generator_lr": 2e-4, "beta_1": 0.5, "beta_2": 0.999, "lr_schedule": "plateau"},
        **{"plateau_patience": 3, "plateau_factor": 0.1, "warmup_steps": 0, "rotation": 10.0},
        **{"freeze_encoder_epochs": 0, "crop_scale": 0.5, "flip": True},
        # With an adversary.
        **{"first_discriminator_filters": 64, "adversarial_weight": 0.003},
        "discriminator_lr": 2e-4,
    },
}


@pytest.mark.parametrize("model", OF_MODELS)
def test_models_have_the_values_of_their_papers(model):
    settings, explicit = parse(["--model", model])
    assert explicit == {"model"}
    found = {name: getattr(settings, name) for name in OF_MODELS[model]}
    assert found == OF_MODELS[model]
    assert settings.weights_folder == Path("weights", model)


@pytest.mark.parametrize("name", PRESETS)
def test_preset_can_be_trained_and_changed(name):
    settings, explicit = parse(["--preset", name])
    assert explicit == {"preset"}
    assert settings.model == {"chromagan-tiny": "chromagan", "hints": "sagan"}.get(name, "pix2pix")
    for key, value in PRESETS[name].settings.items():
        assert getattr(settings, key) == value
    changed, _ = parse(["--preset", name, "--epochs", "7", "--batch_size", "4"])
    assert (changed.epochs, changed.batch_size) == (7, 4)
    assert settings.weights_folder == Path("weights", name)


def test_presets_start_from_the_weights_of_another_preset():
    starts_from = {
        name: preset.starts_from for name, preset in PRESETS.items() if preset.starts_from
    }
    names = ["vanilla-gan", "ls-gan", "ls-gan-30", "vanilla-low-lambda"]
    assert starts_from == dict.fromkeys(names, "unet-l1")
    for name, preset in PRESETS.items():
        settings, _ = parse(["--preset", name])
        expected = "weights/unet-l1" if name in names else preset.settings.get("pretrained")
        assert settings.pretrained == expected
    assert parse(["--preset", "ls-gan", "--pretrained", "other"])[0].pretrained == "other"


def test_explicit_settings_override_the_preset_and_the_preset_overrides_the_model():
    settings, _ = parse(["--preset", "one-channel", "--generator_lr", "0.5"])
    assert (settings.generator_lr, settings.discriminator_lr) == (0.5, 1e-4)
    assert settings.beta_1 == 0.5
    # What a preset does not set is that of the paper.
    settings, _ = parse(["--preset", "chromagan-tiny"])
    assert (settings.resolution, settings.batch_size, settings.encoder) == (64, 10, "vgg16")
