"""Finds the weights that a job colors with, and builds colorizers from them."""

import os

from config.settings import PRETRAINED_WEIGHTS, Settings
from errors import InputError
from inference.lab_recombiner import LabRecombiner
from inference.photo_colorizer import PhotoColorizer
from models.catalog import COLORIZERS
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
) -> PhotoColorizer:
    """Builds a colorizer from a folder of weights.

    Args:
        folder: `WeightsFolder`.
        settings: `Settings`, how to color.
        render_size: int or None, the side in pixels of the square images that the network
            receives. Defaults to `None`, the size saved with the weights.
        recombiner: `LabRecombiner` or None, an existing one to use. Defaults to `None`.

    Returns:
        `PhotoColorizer`.

    Raises:
        InputError: the folder is not a folder of weights, or its weights cannot be loaded.
    """
    saved = folder.read_settings()
    try:
        generator = COLORIZERS[saved["model"]].build_generator(saved["architecture"])
        render_size = render_size or saved["render_size"]
    except KeyError as error:
        raise InputError(
            f"the settings.json in {folder.path} does not describe a network of this program: "
            f"{error}"
        ) from error
    side = generator.input_shape[1]
    if side not in (None, render_size):
        raise InputError(
            f"the weights in {folder.path} only take images of {side} px; received "
            f"{render_size}; give --render_size {side}"
        )
    stride = saved["architecture"].get("color_stride", 1)
    if render_size % stride:
        raise InputError(
            f"the weights in {folder.path} only take images of a side that is a multiple of "
            f"{stride} px; received {render_size}; give --render_size "
            f"{render_size // stride * stride}"
        )
    folder.load_generator(generator)
    return PhotoColorizer(
        generator,
        render_size,
        batch_size=settings.batch_size,
        saturation=settings.saturation,
        flip_average=settings.flip_average,
        recombiner=recombiner,
    )
