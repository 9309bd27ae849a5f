"""A folder of weights that describes itself.

    settings.json                 what the network is and how it was trained
    generator.weights.h5          the weights that color: those of the slow generator
    lowest_loss/                  the same two files; only where an adversary is trained
    lowest_training_loss/         the same, of the lowest loss in training while the generator
                                  learned alone
    curves.png                    losses and metrics, step by step
    snapshots/000001250-00005/    all that a training needs to go on, after 1,250 steps, 5 epochs

Every file is written beside its place and renamed into it: what stands under a final name is
whole.
"""

import dataclasses
import errno
import json
import math
import os
import re
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import h5py
import keras

from data.atomic import flush_to_disk, write_beside
from errors import InputError, first_line

FORMAT = 1

_SETTINGS = "settings.json"
_GENERATOR = "generator.weights.h5"
_LOWEST_LOSS = "lowest_loss"
_LOWEST_TRAINING_LOSS = "lowest_training_loss"
_CURVES = "curves.png"
_SNAPSHOTS = "snapshots"
_SNAPSHOT_WEIGHTS = "model.weights.h5"
_PROGRESS = "progress.json"
_UNFINISHED = ".writing-"
_SNAPSHOT_NAME = re.compile(r"\d{9,}-\d{5,}")


@dataclasses.dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: int, how many epochs are complete.
        step: int, how many steps of the current epoch are done.
        total_steps: int, steps since the beginning.
        best_loss: float or None, the lowest validation loss so far.
        best_training_loss: float or None, the lowest loss of an epoch in training so far.
        rate_factor: float, what plateaus have made of the learning rates.
        plateau_loss: float or None, the loss that the next has to be below.
        plateau_epochs: int, for how many epochs none was.
        losses: of an epoch that was broken off, the sums of its losses and how many each is of.
        log_dir: str, where the records of this training go.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    best_loss: float | None = None
    best_training_loss: float | None = None
    rate_factor: float = 1.0
    plateau_loss: float | None = None
    plateau_epochs: int = 0
    losses: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    log_dir: str = ""

    def mean_losses(self) -> dict[str, float]:
        """The losses of the epoch that was broken off, as far as it came."""
        return {name: total / count for name, (total, count) in self.losses.items() if count}

    def forget_validation(self) -> None:
        """What follows is judged by another objective or by other pictures."""
        self.best_loss = None
        self.forget_plateau()

    def forget_training(self) -> None:
        """What follows is learned from another objective or from other pictures."""
        self.best_training_loss = None
        self.forget_plateau()

    def forget_plateau(self) -> None:
        """The lowest loss that a plateau is told by is sought anew."""
        self.plateau_loss = None
        self.plateau_epochs = 0


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
    def curves(self) -> Path:
        """The picture of the training's curves."""
        return self.path / _CURVES

    @property
    def resume_command(self) -> str:
        """What a person types to go on with the training in this folder."""
        return f"python run.py --load_weights --weights_dir {self.path}"

    def holds_weights(self) -> bool:
        """Whether there is something here that a new training would overwrite."""
        return (self.path / _GENERATOR).exists() or self.last_snapshot() is not None

    def write_settings(self, settings: dict[str, Any]) -> None:
        """Writes settings.json; `architecture` and `model` in it are what rebuilds the network."""
        with write_beside(self.path / _SETTINGS) as temporary:
            temporary.write_text(json.dumps({"format": FORMAT, **settings}, indent=2) + "\n")

    def read_settings(self) -> dict[str, Any]:
        """Reads settings.json.

        Raises:
            InputError: there is none, it is broken, or a newer version of this program wrote it.
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
        if settings.get("format", 0) > FORMAT:
            raise InputError(
                f"{path} is of format {settings['format']}, this program reads up to {FORMAT}: "
                "update the program"
            )
        return settings

    def save_generator(self, generator: keras.Model, half: bool = False) -> None:
        """Writes the weights that color.

        Args:
            generator: the slow generator.
            half: bool, store float16, half the size, for weights that ship.

        Raises:
            OSError: it cannot be written; the earlier file stays.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        _require_room(self.path, generator, "the generator")
        with write_beside(self.path / _GENERATOR) as temporary:
            # Keras insists on this ending, which the temporary name ends in as well.
            named = temporary.with_name(temporary.name + ".weights.h5")
            try:
                generator.save_weights(named)
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
        _load(generator, path)

    def copy_generator(self, target: "WeightsFolder") -> None:
        """Copies the weights that color, with their settings, into another folder.

        Raises:
            InputError, OSError: there are none, or they cannot be written.
        """
        target.write_settings(self.read_settings())
        with write_beside(target.path / _GENERATOR) as temporary:
            shutil.copyfile(self.path / _GENERATOR, temporary)

    def save_snapshot(self, model: keras.Model, progress: Progress) -> Path:
        """Writes everything a resume needs and then removes older snapshots.

        Raises:
            OSError: it cannot be written; the older snapshot stays.
        """
        snapshots = self.path / _SNAPSHOTS
        snapshots.mkdir(parents=True, exist_ok=True)
        # The epoch is in the name as well: it ends some time after its last step.
        place = snapshots / f"{progress.total_steps:09d}-{progress.epoch:05d}"
        if not place.exists():
            _require_room(snapshots, model, "a snapshot")
            unfinished = Path(tempfile.mkdtemp(dir=snapshots, prefix=_UNFINISHED))
            try:
                model.save_weights(unfinished / _SNAPSHOT_WEIGHTS)
                text = json.dumps(dataclasses.asdict(progress), indent=2)
                (unfinished / _PROGRESS).write_text(text + "\n")
                for file in unfinished.iterdir():
                    flush_to_disk(file)
                unfinished.rename(place)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        for other in snapshots.iterdir():
            outdated = _SNAPSHOT_NAME.fullmatch(other.name) or other.name.startswith(_UNFINISHED)
            if outdated and other != place:
                shutil.rmtree(other, ignore_errors=True)
        return place

    def last_snapshot(self) -> Path | None:
        """The snapshot to go on from, or None."""
        snapshots = self.path / _SNAPSHOTS
        if not snapshots.is_dir():
            return None
        named = (place for place in snapshots.iterdir() if _SNAPSHOT_NAME.fullmatch(place.name))
        return max(named, default=None)

    def read_progress(self, snapshot: Path) -> Progress:
        """How far the training had come at a snapshot.

        Raises:
            InputError: it cannot be read.
        """
        try:
            return Progress(**json.loads((snapshot / _PROGRESS).read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"the snapshot {snapshot} cannot be read: {error}") from error

    def load_snapshot(self, snapshot: Path, model: keras.Model) -> None:
        """Loads networks, optimizers and counters into a compiled model.

        Raises:
            InputError: the snapshot is broken or of another model.
        """
        _load(model, snapshot / _SNAPSHOT_WEIGHTS)


def _require_room(folder: Path, model: keras.Model, what: str) -> None:
    """Raises when a file would not fit on the disk: HDF5 crashes where a disk is full."""
    needed = 1.1 * _bytes_of(model)
    if shutil.disk_usage(folder).free < needed:
        raise OSError(
            errno.ENOSPC, f"the disk is full: {what} takes {needed / 1e6:.0f} MB", str(folder)
        )


def _bytes_of(model: keras.Model) -> int:
    optimizers = [value for value in vars(model).values() if isinstance(value, keras.Optimizer)]
    variables = [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    return sum(math.prod(variable.shape) * 4 for variable in variables)


def _load(model: keras.Model, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            # Keras warns once for each layer that does not fit, before it raises.
            warnings.simplefilter("ignore", UserWarning)
            # An optimizer without its state would go on as if nothing had been learned.
            warnings.filterwarnings("error", "Skipping variable loading for optimizer")
            model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} cannot be loaded: it is broken or of another network ({first_line(error)})"
        ) from error


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
