"""The network that a folder of weights holds."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from errors import InputError, shown
from models.checkpoints.folder import WeightsFolder


@dataclass(frozen=True)
class SavedNetwork:
    """The generator in a folder of weights, for images of one size.

    Attributes:
        folder: `WeightsFolder`.
        model: str, the name of the colorizer.
        architecture: dict, the arguments of its networks.
        side: int, the height and width of the images in pixels.
    """

    folder: WeightsFolder
    model: str
    architecture: dict[str, Any]
    side: int

    @classmethod
    def read(cls, path: str | os.PathLike, side: int | None = None) -> "SavedNetwork":
        """Reads the settings of a folder of weights, as a training writes them.

        Args:
            path: the folder.
            side: int or None. Defaults to `None`, the render size in the folder's settings.json.

        Raises:
            InputError: it is not a folder of weights.
        """
        folder = WeightsFolder(path)
        saved = folder.read_settings()
        with _missing_names_reported(folder):
            return cls(folder, saved["model"], saved["architecture"], side or saved["render_size"])

    @property
    def color_stride(self) -> int:
        """How many times coarser than the lightness the colors are."""
        return self.architecture.get("color_stride", 1)

    @property
    def has_hints(self) -> bool:
        """Whether the generator takes hints."""
        return bool(self.architecture.get("hints"))

    def build(self) -> keras.Model:
        """Builds the generator and loads its weights.

        Returns:
            `keras.Model`, from lightness, or from lightness, hints and palettes, to ab, all scaled
            for networks (`data.color.lab`).

        Raises:
            InputError: the weights cannot be loaded, or not be used for images of this size.
        """
        # Imported late, because a cached generator does not need the networks.
        from models.catalog import COLORIZERS

        with _missing_names_reported(self.folder):
            generator = COLORIZERS[self.model].build_generator(self.architecture)
        only, stride = generator.inputs[0].shape[1], self.color_stride
        if only not in (None, self.side):
            raise InputError(
                f"the weights in {shown(self.folder.path)} only take images of {only} px; received "
                f"{self.side}; give a render_size of {only}"
            )
        if self.side % stride:
            raise InputError(
                f"the weights in {shown(self.folder.path)} only take images of a side that is a "
                f"multiple of {stride} px; received {self.side}; give a render_size of "
                f"{self.side // stride * stride}"
            )
        self.folder.load_generator(generator)
        return generator


@contextlib.contextmanager
def _missing_names_reported(folder: WeightsFolder) -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise InputError(
            f"the settings.json in {shown(folder.path)} does not describe a network of this "
            f"program: {error}"
        ) from error
