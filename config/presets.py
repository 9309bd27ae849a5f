"""The defaults of each model, and the presets.

TensorFlow is not imported here, so that `--help` is fast.
"""

from dataclasses import dataclass
from typing import Any

# The values of a model's paper that differ from the defaults in `config.settings`, which are those
# of SAGAN. Two values of pix2pix are not used: its batch of 4 would leave a GPU idle (the reports
# below used 16), and it had no random crops, which its 1.2 million images did not need.
MODEL_DEFAULTS: dict[str, dict[str, Any]] = {
    "pix2pix": {
        "filters": 64,
        "adversarial": "vanilla",
        "adversarial_weight": 1.0,
        "label_smoothing": 0.0,
        "reconstruction": ["l1:100"],
        "generator_lr": 2e-4,
        "discriminator_lr": 2e-4,
        "beta_1": 0.5,
        "beta_2": 0.999,
    },
    # The values of Vitoria et al. 2020, who trained for five epochs on 1.3 million images.
    "chromagan": {
        "resolution": 224,
        "batch_size": 10,
        "filters": 64,
        "encoder": "vgg16",
        "adversarial": "wgan-gp",
        "adversarial_weight": 0.1,
        "reconstruction": ["mse:1"],
        "generator_lr": 2e-5,
        "discriminator_lr": 2e-5,
        "beta_1": 0.5,
        "beta_2": 0.999,
    },
    # The values of the report on this model, which had no discriminator. With one, the adversarial
    # weight makes the squared error of gray images (0.02) about ten times the weighted vanilla
    # loss, as in pix2pix, and the discriminator has the report's learning rate.
    "encoder_decoder": {
        "resolution": 400,
        "filters": 32,
        "norm": "none",
        "encoder": "inception_resnet_v2",
        "adversarial": "none",
        "adversarial_weight": 0.003,
        "reconstruction": ["mse:1"],
        "rotation": 10.0,
        "generator_lr": 2e-4,
        "discriminator_lr": 2e-4,
        "lr_schedule": "plateau",
        "beta_1": 0.5,
        "beta_2": 0.999,
    },
}

# The values of SAGAN with a pretrained encoder. Its colors may be coarse: half of the work, for the
# same quality, measured with attention at 1/8 of 128 px. Without an encoder they cost 0.007 in
# LPIPS (benchmarks/README.md).
SAGAN_ENCODER_DEFAULTS: dict[str, Any] = {
    "color_stride": 4,
    "attention_pool": 2,
    "attention_resolution": 16,
}


@dataclass(frozen=True)
class Preset:
    """The settings of an experiment, and the hypothesis that it tests.

    Attributes:
        sentence: str, the hypothesis, for `--help`.
        settings: dict, values by name. The command line may override each of them.
        starts_from: str or None, the preset whose weights this one starts from. Defaults to
            `None`.
    """

    sentence: str
    settings: dict[str, Any]
    starts_from: str | None = None


# The presets reproduce two reports on pix2pix colorizers. The first trained a U-Net with a
# ResNet-18 as its encoder path at 256 px, the second the U-Net of the paper with seven halvings.
_FIRST = {
    "model": "pix2pix",
    "resolution": 256,
    "batch_size": 16,
    "encoder": "resnet18",
    "beta_2": 0.99,
}
_SECOND = {"model": "pix2pix", "depth": 7}
_WASSERSTEIN = {
    **_SECOND,
    "adversarial": "wgan-gp",
    "discriminator": "conv4",
}
_ONE_CHANNEL = {
    **_SECOND,
    "discriminator_steps": 3,
    "generator_epochs": 2,
    "discriminator_epochs": 2,
    "generator_lr_alone": 1e-4,
    "discriminator_lr_alone": 1e-4,
    "generator_lr": 1e-3,
    "discriminator_lr": 1e-4,
}

PRESETS: dict[str, Preset] = {
    "chromagan-tiny": Preset(
        "ten times the paper's learning rate is fast on small images of few classes",
        {
            "model": "chromagan",
            "resolution": 64,
            "generator_lr": 2e-4,
            "discriminator_lr": 2e-4,
        },
    ),
    "unet-l1": Preset(
        "L1 alone with a pretrained encoder gives good but dull colors",
        {**_FIRST, "adversarial": "none", "epochs": 30},
    ),
    "vanilla-gan": Preset(
        "an adversarial loss makes the colors livelier",
        {**_FIRST, "epochs": 20},
        starts_from="unet-l1",
    ),
    "ls-gan": Preset(
        "the least-squares loss is more stable than cross entropy",
        {**_FIRST, "adversarial": "lsgan", "epochs": 20},
        starts_from="unet-l1",
    ),
    "ls-gan-30": Preset(
        "30 epochs are better than 20",
        {**_FIRST, "adversarial": "lsgan", "epochs": 30},
        starts_from="unet-l1",
    ),
    "vanilla-low-lambda": Preset(
        "with half the weight of L1 the adversarial loss adds more color",
        {**_FIRST, "reconstruction": ["l1:50"], "epochs": 20},
        starts_from="unet-l1",
    ),
    "l1-baseline": Preset(
        "the U-Net of the paper without a discriminator",
        {**_SECOND, "adversarial": "none"},
    ),
    "adversarial-conv4": Preset(
        "a discriminator of four convolutions is too weak",
        {**_SECOND, "discriminator": "conv4"},
    ),
    "wgan-gp-conv4": Preset(
        "a Wasserstein critic with 20 steps per generator step is more stable",
        {
            **_WASSERSTEIN,
            "discriminator_steps": 20,
            "generator_lr": 1e-5,
            "discriminator_lr": 1e-5,
        },
    ),
    "delayed-wgan-gp": Preset(
        "the critic can start later, after the generator was trained with L1 alone",
        {**_WASSERSTEIN, "generator_epochs": 2, "discriminator_steps": 10},
    ),
    "patchgan": Preset(
        "a discriminator of patches is better than one of whole images",
        {**_SECOND, "reconstruction": ["l1:50"], "discriminator_steps": 2},
    ),
    "one-channel": Preset(
        "both networks are trained alone first, and the discriminator gets more steps",
        {**_ONE_CHANNEL},
    ),
    "pokemon-final": Preset(
        "one-channel with a weaker L1 and small batches suits flat artwork",
        {**_ONE_CHANNEL, "reconstruction": ["l1:25"], "batch_size": 8},
    ),
}
