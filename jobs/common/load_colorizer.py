"""Finds the weights that a job colors with, and loads colorizers from them."""

import os

import keras

from config.groups.presets import PRETRAINED_WEIGHTS
from config.settings import Settings
from errors import InputError
from inference.photo_colorizer import PhotoColorizer
from jobs.common.folders import refuse_file
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
    for path in settings.weights:
        refuse_file(path, "weights")
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
    precision: str | None = None,
) -> PhotoColorizer:
    """Loads a colorizer with the settings of a job.

    Args:
        folder: `WeightsFolder`.
        settings: `Settings`, how to color.
        render_size: int or None, as for `PhotoColorizer.from_folder`. Defaults to `None`.
        precision: str or None, as for `PhotoColorizer.from_folder`. Defaults to `None`, that which
            is set on this thread.

    Raises:
        InputError: as for `PhotoColorizer.from_folder`.
    """
    return PhotoColorizer.from_folder(
        folder.path,
        render_size,
        precision=precision or keras.config.dtype_policy().name,
        batch_size=settings.batch_size,
        saturation=settings.saturation,
        calm=settings.calm,
        flip_average=settings.flip_average,
    )
