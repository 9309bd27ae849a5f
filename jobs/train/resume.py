"""Resumes a training: its checkpoint, its settings, and which of them may not change."""

import dataclasses
import sys
from collections.abc import Set
from pathlib import Path
from typing import NoReturn

from config.groups.setting import Remembered
from config.rules import check_use
from config.saved_settings import count_images, restored_settings, saved_settings
from config.settings import Settings, names_where
from data.datasets.image_lists import ImageLists
from errors import InputError, quoted, shown
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.checkpoints.store import differences


def last_checkpoint(folder: WeightsFolder) -> tuple[Progress, Path]:
    """Finds the checkpoint to resume from.

    Args:
        folder: `WeightsFolder` of the training.

    Returns:
        The progress of the training, and the path of its checkpoint.

    Raises:
        InputError: there is no training in the folder, or it has no intact checkpoint of the same
            networks.
    """
    if folder.checkpoints.last() is None:
        refuse_to_resume(folder)
    checkpoint = _last_intact_checkpoint(folder)
    if differing := folder.checkpoints.differences(checkpoint, folder.network()):
        raise InputError(
            f"the checkpoint {checkpoint} does not belong to the training in {folder.path}: "
            f"{', '.join(differing)}"
        )
    return folder.checkpoints.read_progress(checkpoint), checkpoint


def resumed_settings(settings: Settings, explicit: Set[str], folder: WeightsFolder) -> Settings:
    """The settings of the training in a folder, changed by the explicit settings.

    Args:
        settings: `Settings` from the command line.
        explicit: set of str, the names of the explicit settings.
        folder: `WeightsFolder` of the training.

    Raises:
        InputError: an explicit setting changes one that is fixed, or has no effect.
    """
    original = _original_settings(folder)
    fixed = explicit & names_where(lambda entry: entry.metadata["fixed"])
    differing = differences(
        {name: getattr(original, name) for name in fixed},
        {name: getattr(settings, name) for name in fixed},
    )
    if differing:
        raise InputError(
            f"--load_weights: the training in {folder.path} was started with "
            f"{', '.join(differing)}; leave these arguments out, or start another training from "
            f"its weights with --pretrained {quoted(folder.path)} --weights_dir NEW"
        )
    changes = explicit | names_where(lambda entry: not entry.metadata["saved"])
    if "dataset" in explicit:
        # What was given for the previous datasets does not apply to others.
        changes |= names_where(lambda entry: entry.metadata["of_datasets"])
    resumed = dataclasses.replace(original, **{name: getattr(settings, name) for name in changes})
    check_use(resumed, explicit)
    if changed := differences(saved_settings(resumed), saved_settings(original)):
        print(f"changed: {', '.join(changed)}")
    return resumed


def changed_settings(settings: Settings, folder: WeightsFolder) -> frozenset[str]:
    """The names of the settings that differ from those that the folder of a training has saved.

    Args:
        settings: `Settings` to resume with.
        folder: `WeightsFolder` of the training.
    """
    before, now = saved_settings(_original_settings(folder)), saved_settings(settings)
    return frozenset(name for name in now if now[name] != before[name])


def makes_forget(changed: Set[str], remembered: Remembered) -> bool:
    """Whether one of the changed settings makes a resumed training forget something."""
    return bool(changed & names_where(lambda entry: entry.metadata["forget"] & remembered))


def forget(progress: Progress, changed: Set[str]) -> None:
    """Forgets what is not comparable to a training with other settings.

    Args:
        progress: `Progress`, updated in place.
        changed: set of str, the names of the changed settings.
    """
    if makes_forget(changed, Remembered.VALIDATION_LOSSES):
        progress.forget_validation()
    if makes_forget(changed, Remembered.TRAINING_LOSSES):
        progress.forget_training()
    if makes_forget(changed, Remembered.RATE_REDUCTIONS):
        progress.forget_plateau()
        progress.rate_factor = 1.0


def note_other_images(
    lists: ImageLists, changed: Set[str], folder: WeightsFolder, progress: Progress
) -> None:
    """Prints a note if the same datasets have more or fewer images than before.

    The lowest losses so far, which belong to other images, are then forgotten.

    Args:
        lists: `ImageLists`, the images that were found now.
        changed: set of str, the names of the changed settings.
        folder: `WeightsFolder` of the training.
        progress: `Progress`, updated in place.
    """
    if makes_forget(changed, Remembered.IMAGE_COUNTS):
        return
    before = folder.read_settings().get("images")
    if before not in (None, count_images(lists)):
        progress.forget_validation()
        progress.forget_training()
        print(
            f"note: the datasets had {before['training']:,} training images and "
            f"{before['validation']:,} validation images before; the order of the images has "
            "changed, and the best weights are selected anew"
        )


def refuse_to_resume(folder: WeightsFolder) -> NoReturn:
    """Raises InputError: there is no training to resume."""
    raise InputError(
        f"--load_weights: there is no training to resume in {folder.path}; train first, or give "
        "its folder with --weights_dir"
    )


def _last_intact_checkpoint(folder: WeightsFolder) -> Path:
    """The last intact checkpoint, with a warning for each later one that is damaged."""

    def on_damage(checkpoint, what):
        print(
            f"warning: the checkpoint {shown(checkpoint)} is damaged ({what}); trying the one "
            "before it",
            file=sys.stderr,
        )

    checkpoint = folder.checkpoints.last_whole(on_damage)
    if checkpoint is None:
        raise InputError(
            f"--load_weights: no checkpoint in {folder.checkpoints.path} is intact; start another "
            f"training from its weights with --pretrained {quoted(folder.path)} --weights_dir NEW"
        )
    return checkpoint


def resume_command(folder: WeightsFolder) -> str:
    """The command that resumes the training in a folder."""
    return f"python run.py --load_weights --weights_dir {quoted(folder.path)}"


def _original_settings(folder: WeightsFolder) -> Settings:
    return restored_settings(folder.read_settings()["settings"])
