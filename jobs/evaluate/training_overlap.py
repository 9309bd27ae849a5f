"""The images that weights were trained on, according to their saved settings."""

import os
import sys
from collections.abc import Sequence

from config.saved_settings import count_images, restored_settings
from data.datasets.dataset_name import may_overlap
from data.datasets.image_source import ImageSource
from errors import InputError, shown
from jobs.train.dataset import find_training_images
from models.checkpoints.folder import WeightsFolder


def find_training_overlap(folder: WeightsFolder, names: Sequence[str]) -> list[ImageSource]:
    """Finds the images that weights, and the weights their training began with, were trained on.

    Args:
        folder: `WeightsFolder`.
        names: sequence of str, the datasets of the evaluation. Training images that cannot
            overlap with any of them are skipped, and so are those of the weights that ship, whose
            settings do not name a dataset.

    Returns:
        List of `ImageSource`.

    Raises:
        InputError: the folder does not contain weights, or does not say how they were trained.
    """
    saved = folder.read_settings().get("settings", {})
    sources = []
    try:
        settings = restored_settings(saved)
        trained = settings.dataset if "dataset" in saved else []
        may_share = any(may_overlap(dataset, name) for dataset in trained for name in names)
    except (AttributeError, TypeError) as error:
        raise InputError(
            f"the settings.json in {shown(folder.path)} does not say how the weights were trained: "
            f"{error}"
        ) from error
    if may_share:
        try:
            lists = find_training_images(settings)
            sources.append(lists.training)
            _warn_if_changed(folder, count_images(lists))
        except InputError as error:
            print(
                f"warning: the images that {shown(folder.path)} was trained on cannot be found, "
                f"and may be among those it is evaluated on: {error}",
                file=sys.stderr,
            )
    if settings.pretrained and os.path.isdir(settings.pretrained):
        sources += find_training_overlap(WeightsFolder(settings.pretrained), names)
    return sources


def _warn_if_changed(folder: WeightsFolder, now: dict[str, int]) -> None:
    """Warns if the images of a training are not those that it had, so that they are not known."""
    before = folder.read_settings().get("images")
    if before not in (None, now):
        print(
            f"warning: {shown(folder.path)} was trained on {before['training']:,} images, and its "
            f"datasets now have {now['training']:,}: it may be evaluated on some it has learned",
            file=sys.stderr,
        )
