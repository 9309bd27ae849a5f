"""Which images weights have learned from, as their own settings tell."""

import os
import sys
from collections.abc import Sequence
from typing import Any

from config.settings import Settings, fields
from data.datasets.dataset_name import may_overlap
from data.datasets.image_source import ImageSource
from errors import InputError, shown
from jobs.train.dataset import find_training_images
from models.checkpoints.folder import WeightsFolder


def find_training_overlap(folder: WeightsFolder, names: Sequence[str]) -> list[ImageSource]:
    """Finds what weights, and those that their training began with, have learned from.

    Args:
        folder: of the weights.
        names: of datasets. What can have no image in common with any of them is passed over,
            and so is what weights that ship learned from: they do not say it.

    Raises:
        InputError: the folder is no folder of weights, or does not say how they were trained.
    """
    saved = folder.read_settings().get("settings", {})
    sources = []
    try:
        settings = _as_trained(saved)
        trained = settings.dataset if "dataset" in saved else []
        is_near = any(may_overlap(each, name) for each in trained for name in names)
    except (AttributeError, TypeError) as error:
        raise InputError(
            f"the settings.json in {shown(folder.path)} does not say how the weights were trained: "
            f"{error}"
        ) from error
    if is_near:
        try:
            sources.append(find_training_images(settings).training)
        except InputError as error:
            print(
                f"warning: what {shown(folder.path)} learned from cannot be found, and may be "
                f"among what it is judged by: {error}",
                file=sys.stderr,
            )
    if settings.pretrained and os.path.isdir(settings.pretrained):
        sources += find_training_overlap(WeightsFolder(settings.pretrained), names)
    return sources


def _as_trained(saved: dict[str, Any]) -> Settings:
    known = {entry.name for entry in fields()}
    return Settings(**{name: value for name, value in saved.items() if name in known})
