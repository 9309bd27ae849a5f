"""What models and presets set, where the command line does not.

TensorFlow is not imported here: `--help` answers at once.
"""

from dataclasses import dataclass
from typing import Any

# Where a model's paper differs from the defaults in `config.settings`, which are those of SAGAN.
# Two of pix2pix' own are left as they are: its batch of 4 would leave a GPU idle (the reports below
# took 16), and its 1.2 million images needed no crops.
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
    # The values of Vitoria et al. 2020, who trained for five epochs of 1.3 million images.
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
    # Those of the report on it. It had no adversary: with one, gray images cost about ten times
    # as much in the squared error (0.02) as in the vanilla loss, as with pix2pix; and its own rate
    # is the discriminator's.
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


@dataclass(frozen=True)
class Preset:
    """An experiment: settings, and the sentence that they test.

    Attributes:
        sentence: str.
        settings: by name; the command line may change each of them.
        starts_from: str or None, another preset whose weights this one goes on from.
    """

    sentence: str
    settings: dict[str, Any]
    starts_from: str | None = None


# Two reports on pix2pix colorizers. The first trained at 256 px a U-Net whose encoder path was a
# ResNet-18, the second the U-Net of the paper with seven halvings.
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
        "at ten times the paper's rate small images of few classes are learned quickly",
        {
            "model": "chromagan",
            "resolution": 64,
            "generator_lr": 2e-4,
            "discriminator_lr": 2e-4,
        },
    ),
    "unet-l1": Preset(
        "L1 alone on a pretrained encoder gives good but dull colors",
        {**_FIRST, "adversarial": "none", "epochs": 30},
    ),
    "vanilla-gan": Preset(
        "an adversary makes them livelier",
        {**_FIRST, "epochs": 20},
        starts_from="unet-l1",
    ),
    "ls-gan": Preset(
        "least squares are steadier than the cross entropy",
        {**_FIRST, "adversarial": "lsgan", "epochs": 20},
        starts_from="unet-l1",
    ),
    "ls-gan-30": Preset(
        "half as many epochs again still help",
        {**_FIRST, "adversarial": "lsgan", "epochs": 30},
        starts_from="unet-l1",
    ),
    "vanilla-low-lambda": Preset(
        "with half the weight of L1 the adversary colors more",
        {**_FIRST, "reconstruction": ["l1:50"], "epochs": 20},
        starts_from="unet-l1",
    ),
    "l1-baseline": Preset(
        "the U-Net of the paper without an adversary",
        {**_SECOND, "adversarial": "none"},
    ),
    "adversarial-conv4": Preset(
        "four convolutions are too weak an adversary",
        {**_SECOND, "discriminator": "conv4"},
    ),
    "wgan-gp-conv4": Preset(
        "a Wasserstein critic that learns twenty times as often is steadier",
        {
            **_WASSERSTEIN,
            "discriminator_steps": 20,
            "generator_lr": 1e-5,
            "discriminator_lr": 1e-5,
        },
    ),
    "delayed-wgan-gp": Preset(
        "the critic may come later, when the generator has learned from L1 alone",
        {**_WASSERSTEIN, "generator_epochs": 2, "discriminator_steps": 10},
    ),
    "patchgan": Preset(
        "judging patches is better than judging images",
        {**_SECOND, "reconstruction": ["l1:50"], "discriminator_steps": 2},
    ),
    "one-channel": Preset(
        "both networks learn alone first, and the discriminator more often",
        {**_ONE_CHANNEL},
    ),
    "pokemon-final": Preset(
        "the same with a weaker L1 and small batches suits flat artwork",
        {**_ONE_CHANNEL, "reconstruction": ["l1:25"], "batch_size": 8},
    ),
}
