"""What a folder of weights says of the training that made it."""

import os
from typing import Any

from config.settings import PATHS, Settings, fields
from data.datasets.dataset_name import absolute_name
from data.datasets.image_lists import ImageLists

# Of the call, and not of the training.
OF_THE_CALL = ("load_weights", "strategy", "weights_dir")


def saved_names() -> list[str]:
    """The names of the settings that a training keeps."""
    return [
        entry.name
        for entry in fields()
        if "train" in entry.metadata["jobs"] and entry.name not in OF_THE_CALL
    ]


def saved_settings(settings: Settings) -> dict[str, Any]:
    """The settings that a training keeps, by name; paths hold wherever the program is called."""
    return {name: _from_anywhere(name, getattr(settings, name)) for name in saved_names()}


def count_images(lists: ImageLists) -> dict[str, int]:
    """How many images there are to learn from (`training`) and to judge by (`validation`)."""
    return {"training": len(lists.training), "validation": len(lists.validation)}


def _from_anywhere(name: str, value: Any) -> Any:
    if name == "dataset":
        return [absolute_name(each) for each in value]
    by_name = value in (None, "none", "memory", "imagenet")
    return value if name not in PATHS or by_name else os.path.abspath(value)
