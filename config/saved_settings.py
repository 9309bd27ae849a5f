"""The settings that a training saves in its folder of weights."""

import os
from typing import Any

from config.settings import PATHS, Settings, fields
from data.datasets.dataset_name import absolute_name
from data.datasets.image_lists import ImageLists

# Settings of one call, which are not saved with the training.
OF_THE_CALL = ("load_weights", "strategy", "weights_dir")


def saved_names() -> list[str]:
    """The names of the settings that a training saves."""
    return [
        entry.name
        for entry in fields()
        if "train" in entry.metadata["jobs"] and entry.name not in OF_THE_CALL
    ]


def saved_settings(settings: Settings) -> dict[str, Any]:
    """The settings that a training saves, by name. Paths are made absolute."""
    return {name: _with_absolute_paths(name, getattr(settings, name)) for name in saved_names()}


def count_images(lists: ImageLists) -> dict[str, int]:
    """The numbers of images for `training` and for `validation`."""
    return {"training": len(lists.training), "validation": len(lists.validation)}


def _with_absolute_paths(name: str, value: Any) -> Any:
    if name == "dataset":
        return [absolute_name(dataset) for dataset in value]
    is_keyword = value in (None, "none", "memory", "imagenet")
    return value if name not in PATHS or is_keyword else os.path.abspath(value)
