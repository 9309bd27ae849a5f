"""Resumes a training: its checkpoint, its settings, and which of them may not change."""

import dataclasses
import sys
from pathlib import Path
from typing import NoReturn

from config.parser import check_use
from config.saved_settings import OF_THE_CALL, count_images, saved_settings
from config.settings import OF_DATASETS, OF_IMAGES, SHAPES, Settings, fields
from data.datasets.image_lists import ImageLists
from errors import InputError, shown
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.checkpoints.store import differences

# Settings that change the validation losses.
_CHANGE_VALIDATION_LOSSES = OF_IMAGES | {
    *("color_rebalancing", "reconstruction"),
    # They leave the validation images as they are, but change the ab histogram.
    *("dataset_weights", "target_saturation"),
}

# Settings that change the training losses.
_CHANGE_TRAINING_LOSSES = _CHANGE_VALIDATION_LOSSES | {
    *("class_weight", "crop_scale", "flip", "rotation")
}

# Settings that restart the detection of a plateau.
_CHANGE_RATES = frozenset(
    {
        *("lr_schedule", "generator_lr", "discriminator_lr"),
        *("generator_lr_alone", "discriminator_lr_alone"),
    }
)

# Settings that are fixed for a training: its networks, the settings that determine the state in a
# checkpoint, and those that select the validation images, none of which may have been trained on.
_FIXED = (
    *SHAPES,
    *("freeze_encoder_epochs", "optimizer", "resolution", "seed", "validation_share"),
)


def resume(
    settings: Settings, explicit: set[str], folder: WeightsFolder
) -> tuple[Settings, Progress, Path]:
    """Finds the training in a folder and applies the changes from the command line.

    Args:
        settings: `Settings` from the command line.
        explicit: set of str, the names of the explicit settings.
        folder: `WeightsFolder` of the training.

    Returns:
        The settings to continue with, the progress of the training, and the path of its
        checkpoint.

    Raises:
        InputError: there is no training in the folder, it has no intact checkpoint of the same
            networks, or an explicit setting changes one that is fixed.
    """
    if folder.checkpoints.last() is None:
        refuse_to_resume(folder)
    checkpoint = _last_intact_checkpoint(folder)
    progress = folder.checkpoints.read_progress(checkpoint)
    if differing := folder.checkpoints.differences(checkpoint, folder.network()):
        raise InputError(
            f"the checkpoint {checkpoint} does not belong to the training in {folder.path}: "
            f"{', '.join(differing)}"
        )
    settings = _resumed_settings(settings, explicit, folder)
    # The lowest losses so far are not comparable to those of another objective or other images.
    if explicit.intersection(_CHANGE_VALIDATION_LOSSES):
        progress.forget_validation()
    if explicit.intersection(_CHANGE_TRAINING_LOSSES):
        progress.forget_training()
    if explicit.intersection(_CHANGE_RATES):
        progress.forget_plateau()
        progress.rate_factor = 1.0
    return settings, progress, checkpoint


def note_other_images(
    lists: ImageLists, explicit: set[str], folder: WeightsFolder, progress: Progress
) -> None:
    """Prints a note if the same datasets have more or fewer images than before.

    The lowest losses so far, which belong to other images, are then forgotten.

    Args:
        lists: `ImageLists`, the images that were found now.
        explicit: set of str, the names of the explicit settings.
        folder: `WeightsFolder` of the training.
        progress: `Progress`, updated in place.
    """
    if explicit.intersection(OF_IMAGES):
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
            f"training from its weights with --pretrained {folder.path} --weights_dir NEW"
        )
    return checkpoint


def _resumed_settings(settings: Settings, explicit: set[str], folder: WeightsFolder) -> Settings:
    """The settings of the training in the folder, changed by the explicit settings."""
    saved = folder.read_settings()["settings"]
    known = {entry.name for entry in fields()}
    saved = {name: value for name, value in saved.items() if name in known}
    original = Settings(**saved)
    fixed = explicit.intersection(_FIXED)
    differing = differences(
        {name: getattr(original, name) for name in fixed},
        {name: getattr(settings, name) for name in fixed},
    )
    if differing:
        raise InputError(
            f"--load_weights: the training in {folder.path} was started with "
            f"{', '.join(differing)}; leave these arguments out, or start another training from "
            f"its weights with --pretrained {folder.path} --weights_dir NEW"
        )
    changes = {name: getattr(settings, name) for name in {*explicit, *OF_THE_CALL}}
    if "dataset" in explicit:
        # The options of the previous datasets do not apply to other datasets.
        saved = {name: value for name, value in saved.items() if name not in OF_DATASETS}
    resumed = dataclasses.replace(Settings(**saved), **changes)
    check_use(resumed, explicit)
    _print_changes(original, resumed)
    return resumed


def _print_changes(before: Settings, now: Settings) -> None:
    if changes := differences(saved_settings(now), saved_settings(before)):
        print(f"changed: {', '.join(changes)}")


def resume_command(folder: WeightsFolder) -> str:
    """The command that resumes the training in a folder."""
    return f"python run.py --load_weights --weights_dir {folder.path}"
