"""The checkpoints of a training: each whole, or known to be damaged.

    checkpoints/000001250-00005/  after 1,250 steps, 5 epochs
        model.weights.h5          networks, optimizers, counters
        progress.json             how far the training has come, and what it trains
        SHA256SUMS                of the two, as `sha256sum --check SHA256SUMS` reads it

A checkpoint is written beside its place and renamed into it; a disk or a copy may damage it later.
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
        store = CheckpointStore("weights/sagan/checkpoints")
        store.save(model, Progress(total_steps=100), {"model": "sagan"}, keep=2)
        checkpoint = store.last_whole(on_damage=print)
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)

    def save(
        self, model: keras.Model, progress: Progress, network: dict[str, Any], keep: int
    ) -> Path:
        """Writes all that a resume needs, and then removes what is older than the last ones.

        Args:
            model: compiled.
            progress: how far it has come.
            network: what it is, for `differences`: names and what JSON can hold.
            keep: int, how many checkpoints stay.

        Returns:
            The checkpoint's folder.

        Raises:
            OSError: it cannot be written; the earlier ones stay.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        # The epoch is in the name as well: it ends some time after its last step.
        place = self.path / f"{progress.total_steps:09d}-{progress.epoch:05d}"
        if not place.exists() or _damage(place):
            self._write(place, model, progress, network)
        self._remove_others(place, keep)
        return place

    def last(self) -> Path | None:
        """The last checkpoint, whole or not, or None."""
        return max(self._all(), default=None)

    def last_whole(self, on_damage: Callable[[Path, str], None]) -> Path | None:
        """The last checkpoint whose files are as they were written, or None.

        Args:
            on_damage: called with each later checkpoint that is damaged, and what is wrong with it.
        """
        for place in sorted(self._all(), reverse=True):
            damage = _damage(place)
            if damage is None:
                return place
            on_damage(place, damage)
        return None

    def read_progress(self, checkpoint: Path) -> Progress:
        """How far the training had come at a checkpoint.

        Raises:
            InputError: it cannot be read, or another version of this program wrote it.
        """
        return _read(checkpoint)[0]

    def differences(self, checkpoint: Path, network: dict[str, Any]) -> list[str]:
        """In which words the network of a checkpoint is another one.

        Args:
            checkpoint: its folder.
            network: as given to `save`.

        Returns:
            One sentence without a verb for each difference, as "depth 4 and not 5".

        Raises:
            InputError: it cannot be read, or another version of this program wrote it.
        """
        return differences(_read(checkpoint)[1], json.loads(json.dumps(network)))

    def load(self, checkpoint: Path, model: keras.Model) -> None:
        """Loads networks, optimizers and counters into a compiled model.

        Raises:
            InputError: the checkpoint is broken or of another model.
        """
        load_weights(model, checkpoint / _WEIGHTS)

    def _write(
        self, place: Path, model: keras.Model, progress: Progress, network: dict[str, Any]
    ) -> None:
        require_room(self.path, model, "a checkpoint")
        # Made like any new folder, so that it has the permissions of one.
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
            if place.exists():
                # A damaged one.
                _remove(place)
            unfinished.rename(place)
            flush_folder_to_disk(self.path)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _remove_others(self, place: Path, keep: int) -> None:
        """Removes all but the last up to this one: later ones are of a future that was left."""
        kept = sorted(other for other in self._all() if other <= place)[-keep:]
        for other in self._all():
            if other not in kept:
                _remove(other)
        for other in self.path.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(other, ignore_errors=True)

    def _all(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return [place for place in self.path.iterdir() if _NAME.fullmatch(place.name)]


def differences(found: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    """What is another in two descriptions: "depth 4 and not 5"."""
    return [
        f"{name} {found.get(name)} and not {wanted.get(name)}"
        for name in sorted({*found, *wanted})
        if found.get(name) != wanted.get(name)
    ]


def _read(checkpoint: Path) -> tuple[Progress, dict[str, Any]]:
    try:
        contents = json.loads((checkpoint / _PROGRESS).read_text())
        check_version(contents.get("version", 1), f"the checkpoint {checkpoint}")
        return Progress(**contents["progress"]), contents["network"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(f"the checkpoint {checkpoint} cannot be read: {error}") from error


def _damage(checkpoint: Path) -> str | None:
    """What is wrong with the files of a checkpoint, or None."""
    try:
        lines = (checkpoint / _SUMS).read_text().splitlines()
    except (OSError, ValueError):
        return f"{_SUMS} cannot be read"
    sums = dict(reversed(line.split("  ", 1)) for line in lines if "  " in line)
    for name in (_WEIGHTS, _PROGRESS):
        try:
            if _sum(checkpoint / name) != sums.get(name):
                return f"{name} is not as it was written"
        except OSError as error:
            return f"{name}: {error.strerror}"
    return None


def _sum(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(checkpoint: Path) -> None:
    """Removes a checkpoint, which has its name no more before its first file goes."""
    doomed = checkpoint.with_name(_UNFINISHED + checkpoint.name)
    shutil.rmtree(doomed, ignore_errors=True)
    checkpoint.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
