"""The checkpoints of a training. Each is complete, or known to be damaged.

    checkpoints/000001250-00005/  after 1,250 steps, 5 epochs
        model.weights.h5          networks, optimizers, counters
        progress.json             the progress of the training and a description of the network
        SHA256SUMS                checksums of both files, for `sha256sum --check SHA256SUMS`

A checkpoint is written under a temporary name and then renamed. A disk or a copy may still damage
it later.
"""

import dataclasses
import hashlib
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from data.atomic import flush_folder_to_disk, flush_to_disk
from errors import InputError
from models.checkpoints.file import load_weights, require_room, save_weights
from models.checkpoints.progress import Progress
from models.checkpoints.version import VERSION, check_version

_WEIGHTS = "model.weights.h5"
_PROGRESS = "progress.json"
_SUMS = "SHA256SUMS"
_UNFINISHED = ".writing-"
_NAME = re.compile(r"\d{9,}-\d{5,}")


class CheckpointStore:
    """Writes, finds and reads the checkpoints of one training.

    Args:
        path: the folder; it need not exist yet.

    Example:
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        store = CheckpointStore("checkpoints")
        store.save(model, Progress(epoch=1, total_steps=100), {"units": 2}, keep=2)
        checkpoint = store.last_whole(on_damage=print)       # checkpoints/000000100-00001
        store.load(checkpoint, model)
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def save(
        self, model: keras.Model, progress: Progress, network: dict[str, Any], keep: int
    ) -> Path:
        """Saves everything needed to resume, and then removes old checkpoints.

        Args:
            model: compiled model.
            progress: the progress of the training.
            network: dict, a description of the network for `differences`, which JSON can store.
            keep: int, the number of checkpoints to keep.

        Returns:
            The checkpoint's folder.

        Raises:
            OSError: the checkpoint cannot be written; the earlier ones are not removed.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        # The name contains the epoch too, because an epoch ends after its last step.
        path = self.path / f"{progress.total_steps:09d}-{progress.epoch:05d}"
        if not path.exists() or _damage(path):
            self._write(path, model, progress, network)
        self._remove_others(path, keep)
        return path

    def last(self) -> Path | None:
        """The last checkpoint, damaged or not, or None."""
        return max(self._all(), default=None)

    def last_whole(self, on_damage: Callable[[Path, str], None]) -> Path | None:
        """The last checkpoint that is not damaged, or None.

        Args:
            on_damage: function called with each later checkpoint and the kind of its damage.
        """
        for path in sorted(self._all(), reverse=True):
            damage = _damage(path)
            if damage is None:
                return path
            on_damage(path, damage)
        return None

    def read_progress(self, checkpoint: Path) -> Progress:
        """Reads the progress of the training at a checkpoint.

        Raises:
            InputError: it cannot be read or has another version.
        """
        return _read(checkpoint)[0]

    def differences(self, checkpoint: Path, network: dict[str, Any]) -> list[str]:
        """Lists the differences between the network of a checkpoint and another one.

        Args:
            checkpoint: the checkpoint's folder.
            network: dict, a description as given to `save`.

        Returns:
            List of str such as "depth 4 instead of 5".

        Raises:
            InputError: the checkpoint cannot be read or has another version.
        """
        return differences(_read(checkpoint)[1], json.loads(json.dumps(network)))

    def load(self, checkpoint: Path, model: keras.Model) -> None:
        """Loads networks, optimizers and counters into a compiled model.

        Raises:
            InputError: the checkpoint is damaged or from another model.
        """
        load_weights(model, checkpoint / _WEIGHTS)

    def _write(
        self, path: Path, model: keras.Model, progress: Progress, network: dict[str, Any]
    ) -> None:
        require_room(self.path, model, "a checkpoint")
        # `mkdir` and not `mkdtemp`, for the permissions of any new folder.
        unfinished = self.path / (_UNFINISHED + secrets.token_hex(8))
        unfinished.mkdir()
        try:
            save_weights(model, unfinished / _WEIGHTS)
            contents = {
                "version": VERSION,
                "progress": dataclasses.asdict(progress),
                "network": network,
            }
            (unfinished / _PROGRESS).write_text(json.dumps(contents, indent=2) + "\n")
            sums = [f"{_sum(unfinished / name)}  {name}\n" for name in (_WEIGHTS, _PROGRESS)]
            (unfinished / _SUMS).write_text("".join(sums))
            for file in unfinished.iterdir():
                flush_to_disk(file)
            if path.exists():
                # `save` has found it damaged.
                _remove(path)
            unfinished.rename(path)
            flush_folder_to_disk(self.path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _remove_others(self, path: Path, keep: int) -> None:
        """Removes all but the last `keep` checkpoints up to this one.

        Later ones belong to a training that was continued from an earlier checkpoint.
        """
        kept = sorted(other for other in self._all() if other <= path)[-keep:]
        for other in self._all():
            if other not in kept:
                _remove(other)
        for other in self.path.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(other, ignore_errors=True)

    def _all(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return [path for path in self.path.iterdir() if _NAME.fullmatch(path.name)]


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """Lists the differences between two descriptions, such as "depth 4 instead of 5"."""
    return [
        f"{name} {found.get(name)} instead of {wanted.get(name)}"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]


def _read(checkpoint: Path) -> tuple[Progress, dict[str, Any]]:
    try:
        contents = json.loads((checkpoint / _PROGRESS).read_text())
        check_version(contents.get("version", 1), f"the checkpoint {checkpoint}")
        return Progress(**contents["progress"]), contents["network"]
    except InputError:
        raise
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"the checkpoint {checkpoint} cannot be read: {error}") from error


def _damage(checkpoint: Path) -> str | None:
    """Describes what is wrong with the files of a checkpoint; None if nothing is."""
    try:
        lines = (checkpoint / _SUMS).read_text().splitlines()
    except (OSError, ValueError):
        return f"{_SUMS} cannot be read"
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    sums = {name: value for value, name in pairs}
    for name in (_WEIGHTS, _PROGRESS):
        try:
            if _sum(checkpoint / name) != sums.get(name):
                return f"{name} does not match its checksum"
        except OSError as error:
            return f"{name}: {error.strerror}"
    return None


def _sum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(checkpoint: Path) -> None:
    """Removes a checkpoint; it is renamed first, so that its name never holds a part of it."""
    doomed = checkpoint.with_name(_UNFINISHED + checkpoint.name)
    shutil.rmtree(doomed, ignore_errors=True)
    checkpoint.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
