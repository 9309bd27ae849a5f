"""The final settings of a new training, before anything is built from them."""

import dataclasses
import sys
from collections.abc import Set
from typing import Any

from config.groups.presets import PRESETS
from config.rules import check_color_stride, check_discriminator
from config.settings import Settings, names_where
from errors import InputError
from jobs.common.error_translation import about_option
from jobs.common.folders import refuse_file
from losses.perceptual import find_vgg19_weights
from models.checkpoints.folder import WeightsFolder


def resolve_settings(settings: Settings, explicit: Set[str]) -> Settings:
    """Fills in what pretrained weights, or the files on this machine, decide for a new training.

    Args:
        settings: `Settings` from the command line.
        explicit: set of str, the names of the explicit settings.

    Returns:
        The settings with those of the networks as they will be built, and without the perceptual
        loss if it is a default and the weights of its network are not available.

    Raises:
        InputError: the pretrained weights are not available, or the explicit settings contradict
            them.
    """
    if settings.pretrained is None:
        networks: dict[str, Any] = {"discriminator_filters": settings.first_discriminator_filters}
        if settings.model in ("sagan", "pix2pix"):
            networks["depth"] = settings.network_depth
    else:
        refuse_file(settings.pretrained, "pretrained")
        source = WeightsFolder(settings.pretrained)
        networks = _pretrained_networks(settings, explicit, source)
    settings = dataclasses.replace(settings, **networks)
    check_color_stride(settings)
    check_discriminator(settings)
    return _without_missing_perceptual_loss(settings, explicit)


def _pretrained_networks(
    settings: Settings, explicit: Set[str], source: WeightsFolder
) -> dict[str, Any]:
    """The settings of the pretrained networks. Only the discriminator may differ from theirs."""
    if settings.preset and "pretrained" not in explicit and not source.holds_weights():
        raise InputError(
            f"--preset {settings.preset} starts from {source.path}, which holds no weights; train "
            f"them with --preset {PRESETS[settings.preset].starts_from} first, or give other "
            "weights with --pretrained"
        )
    saved = source.read_settings()
    if saved.get("model") != settings.model:
        raise InputError(
            f"--pretrained {source.path}: these are weights of {saved.get('model')}; add --model "
            f"{saved.get('model')}"
        )
    architecture = dict(saved["architecture"])
    if settings.model == "sagan":
        # Older weights say neither.
        architecture = {"color_stride": 1, "attention_pool": 1, **architecture}
    else:
        architecture["decoder_attention"] = architecture.get("attention_level") is not None
    _choose_discriminator(architecture, settings, explicit)
    names = names_where(lambda entry: entry.metadata["fixed"] == "weights")
    networks = {name: architecture[name] for name in sorted(names) if name in architecture}
    for name in networks:
        if name in explicit and networks[name] != getattr(settings, name):
            raise InputError(
                f"--{name} {getattr(settings, name)}: the weights in {source.path} were trained "
                f"with {networks[name]}; leave the argument out"
            )
    _check_pretrained(architecture, settings, source)
    return networks


def _choose_discriminator(
    architecture: dict[str, Any], settings: Settings, explicit: Set[str]
) -> None:
    # The generator settings of a preset are for trainings from scratch and do not apply here.
    preset = PRESETS[settings.preset].settings if settings.preset else {}
    chosen = explicit | preset.keys()
    if "discriminator" in chosen and "discriminator" in architecture:
        architecture["discriminator"] = settings.discriminator
        architecture["discriminator_filters"] = settings.first_discriminator_filters
    if "discriminator_filters" in chosen:
        architecture["discriminator_filters"] = settings.discriminator_filters


def _check_pretrained(
    architecture: dict[str, Any], settings: Settings, source: WeightsFolder
) -> None:
    side = architecture.get("resolution")
    if side and settings.resolution != side:
        raise InputError(
            f"--resolution {settings.resolution}: the weights in {source.path} only take images of "
            f"{side} px; give --resolution {side}"
        )
    if settings.resolution < 2 ** architecture.get("depth", 0):
        raise InputError(
            f"images of {settings.resolution} px cannot be halved {architecture['depth']} times, "
            f"as the weights in {source.path} require; raise --resolution"
        )
    if settings.freeze_encoder_epochs and not architecture.get("freeze_encoder_statistics"):
        raise InputError(
            f"--freeze_encoder_epochs: the weights in {source.path} have no encoder with frozen "
            "batch statistics; leave the argument out"
        )


def _without_missing_perceptual_loss(settings: Settings, explicit: Set[str]) -> Settings:
    weights = settings.reconstruction_weights
    is_explicit = explicit & {"reconstruction", "perceptual_weights"}
    if is_explicit or not weights.get("perceptual"):
        return settings
    try:
        with about_option("perceptual_weights"):
            find_vgg19_weights()
    except InputError as error:
        print(f"warning: training without the perceptual loss: {error}", file=sys.stderr)
        weights["perceptual"] = 0.0
        terms = tuple(f"{name}:{weight:g}" for name, weight in weights.items())
        return dataclasses.replace(settings, reconstruction=terms)
    return settings
