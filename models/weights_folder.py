"""A folder of weights that describes itself.

    settings.json             what the network is and how it was trained
    generator.weights.h5      the weights that color: the best of the slow generator
    snapshots/000001250/      everything a training needs to go on, after 1,250 steps

Every file is written beside its place and renamed into it: what stands under a final name is
whole.
"""

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import h5py
import keras

from data.atomic import write_beside
from errors import InputError

FORMAT = 1

_SETTINGS = "settings.json"
_GENERATOR = "generator.weights.h5"
_SNAPSHOTS = "snapshots"
_SNAPSHOT_WEIGHTS = "model.weights.h5"
_PROGRESS = "progress.json"
_UNFINISHED = ".writing-"


@dataclasses.dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: int, how many epochs are complete.
        step: int, how many steps of the current epoch are done.
        total_steps: int, steps since the beginning.
        best_loss: float or None, the lowest validation loss so far.
        log_dir: str, where the records of this training go.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    best_loss: float | None = None
    log_dir: str = ""


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
        """
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

    def save_snapshot(self, model: keras.Model, progress: Progress) -> Path:
        """Writes everything a resume needs and then removes older snapshots."""
        place = self.path / _SNAPSHOTS / f"{progress.total_steps:09d}"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(dir=place.parent, prefix=_UNFINISHED))
            try:
                model.save_weights(unfinished / _SNAPSHOT_WEIGHTS)
                text = json.dumps(dataclasses.asdict(progress), indent=2)
                (unfinished / _PROGRESS).write_text(text + "\n")
                unfinished.rename(place)
            finally:
                shutil.rmtree(unfinished, ignore_errors=True)
        for other in place.parent.iterdir():
            if other != place:
                shutil.rmtree(other, ignore_errors=True)
        return place

    def last_snapshot(self) -> Path | None:
        """The snapshot to go on from, or None."""
        snapshots = self.path / _SNAPSHOTS
        if not snapshots.is_dir():
            return None
        return max((place for place in snapshots.iterdir() if place.name.isdigit()), default=None)

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


def _load(model: keras.Model, path: Path) -> None:
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} cannot be loaded: it is broken or of another network "
            f"({str(error).splitlines()[0]})"
        ) from error


def _store_half_precision(path: Path) -> None:
    """Rewrites a file of weights with its float32 numbers as float16; Keras reads them back."""
    half = path.with_name(path.name + ".half")

    def copy(place, item):
        if isinstance(item, h5py.Dataset):
            values = item[()]
            values = values.astype("float16") if values.dtype == "float32" else values
            target.create_dataset(place, data=values, compression="gzip", shuffle=values.ndim > 0)
        else:
            target.require_group(place)
        target[place].attrs.update(item.attrs)

    with h5py.File(path) as source, h5py.File(half, "w") as target:
        target.attrs.update(source.attrs)
        source.visititems(copy)
    half.replace(path)
