"""A folder of weights that describes itself.

    settings.json                 the network and how it was trained
    generator.weights.h5          the weights for coloring: those of the EMA generator
    lowest_loss/                  the same two files at the lowest validation loss, if the
                                  discriminator is trained
    lowest_training_loss/         the same two files at the lowest training loss while the
                                  generator was trained alone
    ab_histogram_2.npy            how often each color occurs in the training images as this version
                                  of the reader reads them, for color rebalancing
    common_colors.json            the commonest colors of the training images at each lightness, if
                                  they were counted, to be suggested to a person
    curves.png                    losses and metrics, step by step
    nonfinite_steps.txt           steps whose losses or gradients were NaN or infinite, if any
    checkpoints/000001250-00005/  everything needed to resume after 1,250 steps, 5 epochs

Every file is written under a temporary name and then renamed, so that a file with its final name is
complete.
"""

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from data.atomic import remove_unfinished, write_beside
from data.color.common_colors import BANDS, CommonColors
from data.image_io import READER_VERSION
from errors import InputError, first_line
from models.checkpoints.file import load_weights, require_room, save_weights
from models.checkpoints.store import CheckpointStore
from models.checkpoints.version import VERSION, check_version

_SETTINGS = "settings.json"
_GENERATOR = "generator.weights.h5"
_LOWEST_LOSS = "lowest_loss"
_LOWEST_TRAINING_LOSS = "lowest_training_loss"
_CURVES = "curves.png"
_AB_HISTOGRAM = f"ab_histogram_{READER_VERSION}.npy"
_COMMON_COLORS = "common_colors.json"
_NONFINITE_STEPS = "nonfinite_steps.txt"
_CHECKPOINTS = "checkpoints"


class WeightsFolder:
    """Reads and writes a folder of weights.

    Args:
        path: the folder; it need not exist yet.

    Example:
        from models.pix2pix import Pix2Pix

        folder = WeightsFolder("weights/pretrained/pix2pix")
        generator = Pix2Pix.build_generator(folder.read_settings()["architecture"])
        folder.load_generator(generator)
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    @property
    def of_lowest_loss(self) -> "WeightsFolder":
        """The subfolder of the weights with the lowest validation loss."""
        return WeightsFolder(self.path / _LOWEST_LOSS)

    @property
    def of_lowest_training_loss(self) -> "WeightsFolder":
        """The subfolder of the weights with the lowest training loss."""
        return WeightsFolder(self.path / _LOWEST_TRAINING_LOSS)

    @property
    def checkpoints(self) -> CheckpointStore:
        """The checkpoints of the training in this folder."""
        return CheckpointStore(self.path / _CHECKPOINTS)

    @property
    def curves(self) -> Path:
        """The path of the image of the training's curves."""
        return self.path / _CURVES

    @property
    def nonfinite_steps(self) -> Path:
        """The path of the list of steps whose losses or gradients were NaN or infinite."""
        return self.path / _NONFINITE_STEPS

    def holds_weights(self) -> bool:
        """Whether there are weights or checkpoints that a new training would overwrite."""
        return (self.path / _GENERATOR).exists() or self.checkpoints.last() is not None

    def remove_unfinished(self) -> None:
        """Removes unfinished files of a killed training; no training may be running here."""
        for folder in (self, self.of_lowest_loss, self.of_lowest_training_loss):
            remove_unfinished(folder.path)

    def check_version(self) -> None:
        """Checks the version of settings.json, if there is one.

        Raises:
            InputError: it has another version than this program reads.
        """
        version = None
        # The methods that need the settings report a broken file.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            version = json.loads((self.path / _SETTINGS).read_text()).get("version", 1)
        if version is not None:
            check_version(version, str(self.path / _SETTINGS))

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Writes settings.json; its `architecture` and `model` describe the network."""
        with write_beside(self.path / _SETTINGS) as temporary:
            temporary.write_text(json.dumps({"version": VERSION, **settings}, indent=2) + "\n")

    def read_settings(self) -> dict[str, Any]:
        """Reads settings.json.

        Raises:
            InputError: it does not exist, is broken, or has another version.
        """
        path = self.path / _SETTINGS
        try:
            settings = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise InputError(
                f"{self.path} is not a folder of weights: there is no {_SETTINGS} in it"
            ) from error
        except (OSError, ValueError) as error:
            if self.path.is_file():
                raise InputError(
                    f"{self.path} is a file; give the folder that a training wrote"
                ) from error
            raise InputError(f"{path} cannot be read: {error}") from error
        if not isinstance(settings, dict) or not isinstance(settings.get("architecture"), dict):
            raise InputError(f"{path} does not describe a network: there is no architecture in it")
        check_version(settings.get("version", 1), str(path))
        return settings

    def write_ab_histogram(self, counts: np.ndarray) -> None:
        """Saves how often each color occurs, from `data.color.ab_bins.count_bins`."""
        with write_beside(self.path / _AB_HISTOGRAM) as temporary, open(temporary, "wb") as file:
            np.save(file, counts)

    def read_ab_histogram(self) -> np.ndarray | None:
        """Reads how often each color occurs in the training images; None if it was not saved.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / _AB_HISTOGRAM
        try:
            return np.load(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            raise InputError(
                f"{path} cannot be read: {first_line(error)}; remove it to have the colors counted "
                "again"
            ) from error

    def write_common_colors(self, colors: CommonColors) -> None:
        """Saves the colors from `data.color.common_colors.find_common_colors`."""
        lines = ",\n".join(json.dumps(band) for band in colors)
        with write_beside(self.path / _COMMON_COLORS) as temporary:
            temporary.write_text(f"[\n{lines}\n]\n")

    def read_common_colors(self) -> CommonColors | None:
        """Reads the commonest colors of the training images; None if they were not saved.

        Raises:
            InputError: the file is damaged.
        """
        path = self.path / _COMMON_COLORS
        try:
            colors = json.loads(path.read_text())
            pairs = [pair for band in colors for pair in band]
            if len(colors) != BANDS or (pairs and np.array(pairs, "float64").shape[1:] != (2,)):
                raise ValueError(f"it should have {BANDS} lists of a and b")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise InputError(
                f"{path} cannot be read: {first_line(error)}; remove it, and fewer colors are "
                "suggested"
            ) from error
        return colors

    def network(self) -> dict[str, Any]:
        """Describes the network of settings.json, as a checkpoint saves it too.

        Raises:
            InputError: as for `read_settings`.
        """
        settings = self.read_settings()
        described = {name: settings.get(name) for name in ("model", "resolution")}
        return {**settings["architecture"], **described}

    def save_generator(self, generator: keras.Model, half: bool = False) -> None:
        """Saves the weights for coloring.

        Args:
            generator: the EMA generator.
            half: bool, whether to store float16 instead of float32, as for weights that ship.
                Defaults to `False`.

        Raises:
            OSError: the file cannot be written; an earlier file is not changed.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        require_room(self.path, generator, "the generator")
        with write_beside(self.path / _GENERATOR) as temporary:
            # Keras requires this ending.
            named = temporary.with_name(temporary.name + ".weights.h5")
            try:
                save_weights(generator, named)
                if half:
                    _store_half_precision(named)
                named.replace(temporary)
            finally:
                named.unlink(missing_ok=True)

    @property
    def files_to_color(self) -> tuple[Path, Path]:
        """The paths of settings.json and of the weights for coloring."""
        return self.path / _SETTINGS, self.path / _GENERATOR

    def weights_hash(self) -> str:
        """The SHA-256 of the file of the weights for coloring, in hexadecimal digits."""
        with open(self.path / _GENERATOR, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def load_generator(self, generator: keras.Model) -> None:
        """Loads the weights for coloring into a generator of the same architecture.

        Raises:
            InputError: the file does not exist, is damaged, or has another architecture.
        """
        path = self.path / _GENERATOR
        if not path.exists():
            raise InputError(f"{self.path} has no weights to color with: no {_GENERATOR} in it")
        load_weights(generator, path)

    def copy_generator(self, target: "WeightsFolder") -> None:
        """Copies the weights for coloring and their settings to another folder.

        Raises:
            InputError, OSError: they do not exist, or cannot be written.
        """
        target.write_settings(self.read_settings())
        with write_beside(target.path / _GENERATOR) as temporary:
            shutil.copyfile(self.path / _GENERATOR, temporary)


def _store_half_precision(path: Path) -> None:
    """Rewrites a weights file with float16 instead of float32; Keras can load it too."""
    half = path.with_name(path.name + ".half")

    def copy(name, item):
        if isinstance(item, h5py.Dataset):
            values = item[()]
            values = values.astype("float16") if values.dtype == "float32" else values
            # HDF5 cannot compress scalars.
            packed = {"compression": "gzip", "shuffle": True} if values.ndim else {}
            target.create_dataset(name, data=values, **packed)
        else:
            target.require_group(name)
        target[name].attrs.update(item.attrs)

    with h5py.File(path) as source, h5py.File(half, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(copy)
    half.replace(path)
