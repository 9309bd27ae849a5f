"""The defaults of each model, and the presets.

TensorFlow is not imported here, so that `--help` is fast.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRETRAINED_WEIGHTS = Path(__file__).resolve().parents[2] / "weights" / "pretrained"

_BETAS = {"beta_1": 0.5, "beta_2": 0.999}


def _rates(rate: float) -> dict[str, float]:
    return {"generator_lr": rate, "discriminator_lr": rate}


# The values of a model's paper that differ from the defaults in `config.groups`, which are those
# of SAGAN. Two values of pix2pix are not used: its batch of 4 would leave a GPU idle (the reports
# below used 16), and it had no random crops, which its 1.2 million images did not need.
MODEL_DEFAULTS: dict[str, dict[str, Any]] = {
    "pix2pix": {
        "filters": 64,
        "adversarial": "vanilla",
        "adversarial_weight": 1.0,
        "label_smoothing": 0.0,
        "reconstruction": ("l1:100",),
        **_rates(2e-4),
        **_BETAS,
    },
    # The values of Vitoria et al. 2020, who trained for five epochs on 1.3 million images.
    "chromagan": {
        "resolution": 224,
        "batch_size": 10,
        "filters": 64,
        "encoder": "vgg16",
        "adversarial": "wgan-gp",
        "adversarial_weight": 0.1,
        "reconstruction": ("mse:1",),
        **_rates(2e-5),
        **_BETAS,
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
        "reconstruction": ("mse:1",),
        "rotation": 10.0,
        **_rates(2e-4),
        "lr_schedule": "plateau",
        **_BETAS,
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
def _first(sentence: str, starts_from: str | None = "unet-l1", **settings: Any) -> Preset:
    shared = {"model": "pix2pix", "resolution": 256, "batch_size": 16, "encoder": "resnet18"}
    return Preset(sentence, {**shared, "beta_2": 0.99, **settings}, starts_from)


def _second(sentence: str, **settings: Any) -> Preset:
    return Preset(sentence, {"model": "pix2pix", "depth": 7, **settings})


_WASSERSTEIN = {"adversarial": "wgan-gp", "discriminator": "conv4"}
_ONE_CHANNEL = {
    **{"discriminator_steps": 3, "generator_epochs": 2, "discriminator_epochs": 2},
    **{"generator_lr_alone": 1e-4, "discriminator_lr_alone": 1e-4},
    **{"generator_lr": 1e-3, "discriminator_lr": 1e-4},
}

# A network that follows hints has trained weights behind it, so that it needs no adversary: what it
# gets wrong is the color itself.
_HINTS = {
    **{"model": "sagan", "pretrained": str(PRETRAINED_WEIGHTS / "sagan"), "resolution": 192},
    **{"hints_share": 1.0, "hints_alone": True, "adversarial": "none", "batch_size": 16},
    **{"reconstruction": ("log_mse:1",), "generator_lr": 1.5e-3, "lr_schedule": "cosine"},
    **{"beta_1": 0.9, "beta_2": 0.999, "warmup_steps": 100},
}

PRESETS: dict[str, Preset] = {
    "hints": Preset("trained weights learn to follow hints without forgetting anything", _HINTS),
    "chromagan-tiny": Preset(
        "ten times the paper's learning rate is fast on small images of few classes",
        {"model": "chromagan", "resolution": 64, **_rates(2e-4)},
    ),
    "unet-l1": _first(
        "L1 alone with a pretrained encoder gives good but dull colors",
        starts_from=None,
        adversarial="none",
        epochs=30,
    ),
    "vanilla-gan": _first("an adversarial loss makes the colors livelier", epochs=20),
    "ls-gan": _first(
        "the least-squares loss is more stable than cross entropy", adversarial="lsgan", epochs=20
    ),
    "ls-gan-30": _first("30 epochs are better than 20", adversarial="lsgan", epochs=30),
    "vanilla-low-lambda": _first(
        "with half the weight of L1 the adversarial loss adds more color",
        reconstruction=("l1:50",),
        epochs=20,
    ),
    "l1-baseline": _second("the U-Net of the paper without a discriminator", adversarial="none"),
    "adversarial-conv4": _second(
        "a discriminator of four convolutions is too weak", discriminator="conv4"
    ),
    "wgan-gp-conv4": _second(
        "a Wasserstein critic with 20 steps per generator step is more stable",
        **{**_WASSERSTEIN, "discriminator_steps": 20, **_rates(1e-5)},
    ),
    "delayed-wgan-gp": _second(
        "the critic can start later, after the generator was trained with L1 alone",
        **{**_WASSERSTEIN, "generator_epochs": 2, "discriminator_steps": 10},
    ),
    "patchgan": _second(
        "a discriminator of patches is better than one of whole images",
        **{"reconstruction": ("l1:50",), "discriminator_steps": 2},
    ),
    "one-channel": _second(
        "both networks are trained alone first, and the discriminator gets more steps",
        **_ONE_CHANNEL,
    ),
    "pokemon-final": _second(
        "one-channel with a weaker L1 and small batches suits flat artwork",
        **{**_ONE_CHANNEL, "reconstruction": ("l1:25",), "batch_size": 8},
    ),
}
