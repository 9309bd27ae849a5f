"""Finds the weights that a job colors with, and builds colorizers from them."""

import os
from typing import Any

import keras

from config.settings import PRETRAINED_WEIGHTS, Settings
from errors import InputError
from inference.lab_recombiner import LabRecombiner
from inference.photo_colorizer import PhotoColorizer
from jobs.common.generator_cache import cached_generator
from models.checkpoints.folder import WeightsFolder


def weights_folders(settings: Settings) -> list[WeightsFolder]:
    """The folders of weights to color with: those of the settings, or the pretrained ones.

    Raises:
        InputError: the settings name no weights, and no pretrained weights ship for the model.
    """
    if settings.load_weights:
        return [WeightsFolder(settings.weights_folder)]
    if not settings.weights:
        return [_pretrained_weights(settings.model)]
    # The same folder under several names is used once.
    distinct = {os.path.realpath(path): path for path in settings.weights}
    return [WeightsFolder(path) for path in distinct.values()]


def _pretrained_weights(model: str) -> WeightsFolder:
    path = PRETRAINED_WEIGHTS / model
    if not path.is_dir():
        raise InputError(
            f"no pretrained weights ship for --model {model}; looked for {path}; train some and "
            "add --load_weights, or give a folder of weights with --weights instead of --model"
        )
    return WeightsFolder(path)


def load_colorizer(
    folder: WeightsFolder,
    settings: Settings,
    render_size: int | None = None,
    recombiner: LabRecombiner | None = None,
    is_cached: bool = False,
) -> PhotoColorizer:
    """Builds a colorizer from a folder of weights.

    Args:
        folder: `WeightsFolder`.
        settings: `Settings`, how to color.
        render_size: int or None, the side in pixels of the square images that the network
            receives. Defaults to `None`, the size saved with the weights.
        recombiner: `LabRecombiner` or None, an existing one to use. Defaults to `None`.
        is_cached: bool, whether to use the cache of frozen generators. Defaults to `False`.

    Returns:
        `PhotoColorizer`.

    Raises:
        InputError: the folder is not a folder of weights, or its weights cannot be loaded.
    """
    saved = folder.read_settings()
    try:
        model, render_size = saved["model"], render_size or saved["render_size"]
    except KeyError as error:
        raise _not_a_network(folder, error) from error
    if is_cached:
        generator = cached_generator(
            folder, render_size, lambda: _load(folder, model, saved["architecture"], render_size)
        )
    else:
        generator = _load(folder, model, saved["architecture"], render_size)
    return PhotoColorizer(
        generator,
        render_size,
        batch_size=settings.batch_size,
        saturation=settings.saturation,
        flip_average=settings.flip_average,
        recombiner=recombiner,
    )


def _load(
    folder: WeightsFolder, model: str, architecture: dict[str, Any], render_size: int
) -> keras.Model:
    """Builds the generator for images of this size and loads its weights."""
    # Imported late, because a cached generator does not need the networks.
    from models.catalog import COLORIZERS

    try:
        generator = COLORIZERS[model].build_generator(architecture)
    except KeyError as error:
        raise _not_a_network(folder, error) from error
    side = generator.input_shape[1]
    if side not in (None, render_size):
        raise InputError(
            f"the weights in {folder.path} only take images of {side} px; received "
            f"{render_size}; give --render_size {side}"
        )
    stride = architecture.get("color_stride", 1)
    if render_size % stride:
        raise InputError(
            f"the weights in {folder.path} only take images of a side that is a multiple of "
            f"{stride} px; received {render_size}; give --render_size "
            f"{render_size // stride * stride}"
        )
    folder.load_generator(generator)
    return generator


def _not_a_network(folder: WeightsFolder, error: KeyError) -> InputError:
    return InputError(
        f"the settings.json in {folder.path} does not describe a network of this program: {error}"
    )
