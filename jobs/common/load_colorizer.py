"""The colorizers that jobs color with: which weights are asked for, and their networks."""

import os

from config.settings import PRETRAINED_WEIGHTS, Settings
from errors import InputError
from inference.lab_recombiner import LabRecombiner
from inference.photo_colorizer import PhotoColorizer
from models.catalog import COLORIZERS
from models.checkpoints.folder import WeightsFolder


def weights_folders(settings: Settings) -> list[WeightsFolder]:
    """The folders of weights to color with: those that ship, or those of the settings.

    Raises:
        InputError: none are asked for, and none of the model ship.
    """
    if settings.load_weights:
        return [WeightsFolder(settings.weights_folder)]
    if not settings.weights:
        return [_pretrained_weights(settings.model)]
    # Each once, whatever it is called.
    distinct = {os.path.realpath(path): path for path in settings.weights}
    return [WeightsFolder(path) for path in distinct.values()]


def _pretrained_weights(model: str) -> WeightsFolder:
    path = PRETRAINED_WEIGHTS / model
    if not path.is_dir():
        raise InputError(
            f"no weights of --model {model} come with this program; looked for {path}; train some "
            "and add --load_weights, or give a folder of them with --weights in place of --model"
        )
    return WeightsFolder(path)


def load_colorizer(
    folder: WeightsFolder,
    settings: Settings,
    render_size: int | None = None,
    recombiner: LabRecombiner | None = None,
) -> PhotoColorizer:
    """Builds the network that a folder of weights describes.

    Args:
        folder: the folder.
        settings: how to color.
        render_size: int or None, the side at which the network sees images; by default what the
            weights themselves say.
        recombiner: `LabRecombiner` or None, one that was prepared already.

    Raises:
        InputError: the folder is no folder of weights, or they cannot be loaded.
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
            f"the weights in {folder.path} take images of {side} px alone; received "
            f"{render_size}; give --render_size {side}"
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
