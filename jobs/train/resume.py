"""Going on with a training: its checkpoint, its settings, and what may not be changed of it."""

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

# With these the losses of validation are others.
_CHANGES_OF_WHAT_IS_JUDGED = OF_IMAGES | {
    # The last one decides how much which color weighs.
    *("color_rebalancing", "reconstruction", "target_saturation")
}

# With these the losses of training are others.
_CHANGES_OF_WHAT_IS_LEARNED = _CHANGES_OF_WHAT_IS_JUDGED | {
    *("class_weight", "crop_scale", "flip", "rotation")
}

# With these a plateau is told from the beginning.
_CHANGES_OF_RATES = frozenset(
    {
        *("lr_schedule", "generator_lr", "discriminator_lr"),
        *("generator_lr_alone", "discriminator_lr_alone"),
    }
)

# What a training is begun with for good: its networks, what decides on the state that a checkpoint
# holds, and by what images are held out: none of those that judge was learned from.
_BEGUN_WITH = (
    *SHAPES,
    *("freeze_encoder_epochs", "optimizer", "resolution", "seed", "validation_share"),
)


def resume(
    settings: Settings, explicit: set[str], folder: WeightsFolder
) -> tuple[Settings, Progress, Path]:
    """Finds the training in a folder, and what the command line changes of it.

    Args:
        settings: as the command line says.
        explicit: the names of the settings that it gives.
        folder: of the training.

    Returns:
        The settings to go on with, how far the training has come, and its checkpoint.

    Raises:
        InputError: there is none, no checkpoint of it is whole or of the same networks, or what it
            was begun with for good should be changed.
    """
    if folder.checkpoints.last() is None:
        refuse_to_resume(folder)
    checkpoint = _last_whole_checkpoint(folder)
    progress = folder.checkpoints.read_progress(checkpoint)
    if others := folder.checkpoints.differences(checkpoint, folder.network()):
        raise InputError(
            f"the checkpoint {checkpoint} is not of the training in {folder.path}: "
            f"{', '.join(others)}"
        )
    settings = _resumed_settings(settings, explicit, folder)
    # Losses of another objective or of other images do not compare with the lowest so far.
    if explicit.intersection(_CHANGES_OF_WHAT_IS_JUDGED):
        progress.forget_validation()
    if explicit.intersection(_CHANGES_OF_WHAT_IS_LEARNED):
        progress.forget_training()
    if explicit.intersection(_CHANGES_OF_RATES):
        progress.forget_plateau()
        progress.rate_factor = 1.0
    return settings, progress, checkpoint


def note_other_images(
    lists: ImageLists, explicit: set[str], folder: WeightsFolder, progress: Progress
) -> None:
    """Says that the datasets have more or fewer images than before, unless others were given.

    Args:
        lists: the images that were found now.
        explicit: the names of the settings that the command line gives.
        folder: of the training.
        progress: forgets the lowest losses, which were of other images.
    """
    if explicit.intersection(OF_IMAGES):
        return
    before = folder.read_settings().get("images")
    if before not in (None, count_images(lists)):
        progress.forget_validation()
        progress.forget_training()
        print(
            f"note: there were {before['training']:,} images to learn from and "
            f"{before['validation']:,} to judge by before; the order is another one now, and the "
            "best weights are chosen anew"
        )


def refuse_to_resume(folder: WeightsFolder) -> NoReturn:
    """Raises InputError: there is nothing to go on from."""
    raise InputError(
        f"--load_weights: there is nothing to go on from in {folder.path}; train first, or say "
        "where with --weights_dir"
    )


def _last_whole_checkpoint(folder: WeightsFolder) -> Path:
    """The last checkpoint that is as it was written; later ones are told of."""

    def on_damage(checkpoint, what):
        print(
            f"warning: the checkpoint {shown(checkpoint)} is damaged ({what}); looking at the one "
            "before it",
            file=sys.stderr,
        )

    checkpoint = folder.checkpoints.last_whole(on_damage)
    if checkpoint is None:
        raise InputError(
            f"--load_weights: no checkpoint in {folder.checkpoints.path} is whole; begin another "
            f"training from the weights that color: --pretrained {folder.path} --weights_dir NEW"
        )
    return checkpoint


def _resumed_settings(settings: Settings, explicit: set[str], folder: WeightsFolder) -> Settings:
    """The settings of the training in the folder, with what the command line changes."""
    saved = folder.read_settings()["settings"]
    known = {entry.name for entry in fields()}
    saved = {name: value for name, value in saved.items() if name in known}
    begun_with = Settings(**saved)
    fixed = explicit.intersection(_BEGUN_WITH)
    others = differences(
        {name: getattr(begun_with, name) for name in fixed},
        {name: getattr(settings, name) for name in fixed},
    )
    if others:
        raise InputError(
            f"--load_weights: the training in {folder.path} was begun with {', '.join(others)}; "
            "leave these arguments out, or begin another training from its weights with "
            f"--pretrained {folder.path} --weights_dir NEW"
        )
    changes = {name: getattr(settings, name) for name in {*explicit, *OF_THE_CALL}}
    if "dataset" in explicit:
        # What was asked of the datasets before is not asked of others.
        saved = {name: value for name, value in saved.items() if name not in OF_DATASETS}
    resumed = dataclasses.replace(Settings(**saved), **changes)
    check_use(resumed, explicit)
    _say_changes(begun_with, resumed)
    return resumed


def _say_changes(before: Settings, now: Settings) -> None:
    if others := differences(saved_settings(now), saved_settings(before)):
        print(f"changed: {', '.join(others)}")
