"""Colorizers of weights that ship, beside those that a job colors with."""

import threading
from pathlib import Path

import keras

from config.groups.presets import PRETRAINED_WEIGHTS
from config.settings import Settings
from errors import InputError, shown
from inference.look import Look
from inference.photo_colorizer import PhotoColorizer
from inference.saved_network import SavedNetwork
from inference.variants import VARIANTS
from jobs.common.load_colorizer import load_colorizer
from models.checkpoints.folder import WeightsFolder


class PretrainedColorizers:
    """Loads colorizers of weights that ship, each when it is first asked for, on any thread.

    Args:
        settings: `Settings`, how to color.
        folder: `WeightsFolder` that the job colors with.
        colorizer: `PhotoColorizer` of that folder.
    """

    def __init__(
        self,
        settings: Settings,
        folder: WeightsFolder,
        colorizer: PhotoColorizer,
    ):
        self._settings = settings
        self._loaded = {folder.path.resolve(): colorizer}
        # That of Keras is known to the thread of the job alone.
        self._precision = keras.config.dtype_policy().name
        self._lock = threading.Lock()

    def __call__(self, name: str) -> PhotoColorizer:
        """The colorizer of the pretrained weights of this name, at their own render size.

        Raises:
            InputError: they are missing or cannot be loaded.
        """
        path = pretrained_folder(name)
        with self._lock:
            if path not in self._loaded:
                if not path.is_dir():
                    raise InputError(
                        f"the weights {name} are not at {shown(path)}; choose another variant"
                    )
                self._loaded[path] = load_colorizer(
                    WeightsFolder(path),
                    self._settings,
                    precision=self._precision,
                )
            return self._loaded[path]


def pretrained_folder(name: str) -> Path:
    """The folder of the pretrained weights of this name, whether it exists or not."""
    return (PRETRAINED_WEIGHTS / name).resolve()


def variants_beside(folder: WeightsFolder) -> list[Look]:
    """The variants beside the weights in a folder.

    These are all but that of the same weights, and those with a palette if the weights take none.
    """
    own = folder.path.resolve()
    takes_palettes = SavedNetwork.read(folder.path).has_hints
    return [
        each
        for each in VARIANTS.values()
        if (not each.weights or pretrained_folder(each.weights) != own)
        and (takes_palettes or not each.palette)
    ]


def is_there(variant: Look) -> bool:
    """Whether the weights of a variant are there."""
    return not variant.weights or pretrained_folder(variant.weights).is_dir()
