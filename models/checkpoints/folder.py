"""A folder of weights that describes itself.

    settings.json                 what the network is and how it was trained
    generator.weights.h5          the weights that color: those of the EMA generator
    lowest_loss/                  the same two files; only where an adversary is trained
    lowest_training_loss/         the same, of the lowest loss in training while the generator
                                  learned alone
    ab_histogram.npy              how often each color occurs in what was learned from, where rare
                                  colors weigh more
    curves.png                    losses and metrics, step by step
    nonfinite_steps.txt           steps whose losses or gradients were NaN or infinite, if any
    checkpoints/000001250-00005/  all that a training needs to go on, after 1,250 steps, 5 epochs

Every file is written beside its place and renamed into it: what stands under a final name is
whole.
"""

import contextlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from data.atomic import remove_unfinished, write_beside
from errors import InputError, first_line
from models.checkpoints.file import load_weights, require_room, save_weights
from models.checkpoints.store import CheckpointStore
from models.checkpoints.version import VERSION, check_version

_SETTINGS = "settings.json"
_GENERATOR = "generator.weights.h5"
_LOWEST_LOSS = "lowest_loss"
_LOWEST_TRAINING_LOSS = "lowest_training_loss"
_CURVES = "curves.png"
_AB_HISTOGRAM = "ab_histogram.npy"
_NONFINITE_STEPS = "nonfinite_steps.txt"
_CHECKPOINTS = "checkpoints"


class WeightsFolder:
    """Reads and writes a folder of weights.

    Args:
        path: the folder; it need not exist yet.

    Example:
        folder = WeightsFolder("weights/sagan")
        generator = SAGAN.build_generator(folder.read_settings()["architecture"])
        folder.load_generator(generator)
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    @property
    def of_lowest_loss(self) -> "WeightsFolder":
        """The folder inside for the weights whose validation loss was the lowest."""
        return WeightsFolder(self.path / _LOWEST_LOSS)

    @property
    def of_lowest_training_loss(self) -> "WeightsFolder":
        """The folder inside for the weights whose loss in training was the lowest."""
        return WeightsFolder(self.path / _LOWEST_TRAINING_LOSS)

    @property
    def checkpoints(self) -> CheckpointStore:
        """What the training in this folder goes on from."""
        return CheckpointStore(self.path / _CHECKPOINTS)

    @property
    def curves(self) -> Path:
        """The image of the training's curves."""
        return self.path / _CURVES

    @property
    def nonfinite_steps(self) -> Path:
        """The list of the steps whose losses or gradients were no numbers."""
        return self.path / _NONFINITE_STEPS

    @property
    def resume_command(self) -> str:
        """What a person types to go on with the training in this folder."""
        return f"python run.py --load_weights --weights_dir {self.path}"

    def holds_weights(self) -> bool:
        """Whether there is something here that a new training would overwrite."""
        return (self.path / _GENERATOR).exists() or self.checkpoints.last() is not None

    def remove_unfinished(self) -> None:
        """Removes what a training that was killed had begun to write; none may be at work."""
        for folder in (self, self.of_lowest_loss, self.of_lowest_training_loss):
            remove_unfinished(folder.path)

    def check_version(self) -> None:
        """Makes sure that what lies here, if anything, can be read.

        Raises:
            InputError: another version of this program wrote it.
        """
        # What is broken is said by whoever needs it.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            settings = json.loads((self.path / _SETTINGS).read_text())
            check_version(settings.get("version", 1), str(self.path / _SETTINGS))

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Writes settings.json; `architecture` and `model` in it are what rebuilds the network."""
        with write_beside(self.path / _SETTINGS) as temporary:
            temporary.write_text(json.dumps({"version": VERSION, **settings}, indent=2) + "\n")

    def read_settings(self) -> dict[str, Any]:
        """Reads settings.json.

        Raises:
            InputError: there is none, it is broken, or another version of this program wrote it.
        """
        path = self.path / _SETTINGS
        try:
            settings = json.loads(path.read_text())
        except FileNotFoundError as error:
            raise InputError(
                f"{self.path} is not a folder of weights: there is no {_SETTINGS} in it"
            ) from error
        except (OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read: {error}") from error
        if not isinstance(settings, dict) or not isinstance(settings.get("architecture"), dict):
            raise InputError(f"{path} does not describe a network: there is no architecture in it")
        check_version(settings.get("version", 1), str(path))
        return settings

    def write_ab_histogram(self, counts: np.ndarray) -> None:
        """Writes how often each color occurs, from `data.color.ab_bins.count_bins`."""
        with write_beside(self.path / _AB_HISTOGRAM) as temporary, open(temporary, "wb") as file:
            np.save(file, counts)

    def read_ab_histogram(self) -> np.ndarray | None:
        """How often each color occurs in what was learned from, or None where it was not kept.

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
                f"{path} cannot be read: {first_line(error)}; remove it, and colors are counted "
                "again"
            ) from error

    def network(self) -> dict[str, Any]:
        """What settings.json says of the network that a checkpoint here belongs to.

        Raises:
            InputError: as `read_settings`.
        """
        settings = self.read_settings()
        described = {name: settings.get(name) for name in ("model", "resolution")}
        return {**settings["architecture"], **described}

    def save_generator(self, generator: keras.Model, half: bool = False) -> None:
        """Writes the weights that color.

        Args:
            generator: the EMA generator.
            half: bool, store float16, half the size, for weights that ship.

        Raises:
            OSError: it cannot be written; the earlier file stays.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        require_room(self.path, generator, "the generator")
        with write_beside(self.path / _GENERATOR) as temporary:
            # Keras insists on this ending, which the temporary name ends in as well.
            named = temporary.with_name(temporary.name + ".weights.h5")
            try:
                save_weights(generator, named)
                if half:
                    _store_half_precision(named)
                named.replace(temporary)
            finally:
                named.unlink(missing_ok=True)

    def load_generator(self, generator: keras.Model) -> None:
        """Loads the weights that color into a generator of the same architecture.

        Raises:
            InputError: the file is absent, broken, or of another architecture.
        """
        path = self.path / _GENERATOR
        if not path.exists():
            raise InputError(f"{self.path} holds no weights to color with: no {_GENERATOR} in it")
        load_weights(generator, path)

    def copy_generator(self, target: "WeightsFolder") -> None:
        """Copies the weights that color, with their settings, into another folder.

        Raises:
            InputError, OSError: there are none, or they cannot be written.
        """
        target.write_settings(self.read_settings())
        with write_beside(target.path / _GENERATOR) as temporary:
            shutil.copyfile(self.path / _GENERATOR, temporary)


def _store_half_precision(path: Path) -> None:
    """Rewrites a file of weights with its float32 numbers as float16; Keras reads them back."""
    half = path.with_name(path.name + ".half")

    def copy(place, item):
        if isinstance(item, h5py.Dataset):
            values = item[()]
            values = values.astype("float16") if values.dtype == "float32" else values
            # HDF5 cannot compress a single number.
            packed = {"compression": "gzip", "shuffle": True} if values.ndim else {}
            target.create_dataset(place, data=values, **packed)
        else:
            target.require_group(place)
        target[place].attrs.update(item.attrs)

    with h5py.File(path) as source, h5py.File(half, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(copy)
    half.replace(path)
