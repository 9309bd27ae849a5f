"""The settings that a training saves in its folder of weights."""

import os
from collections.abc import Mapping
from typing import Any

from config.settings import Settings, fields, is_path, names_where
from data.datasets.dataset_name import absolute_name
from data.datasets.image_lists import ImageLists


def saved_names() -> list[str]:
    """The names of the settings that a training saves."""
    return [entry.name for entry in fields() if entry.metadata["saved"]]


def saved_settings(settings: Settings) -> dict[str, Any]:
    """The settings that a training saves, by name. Paths are absolute, and lists not tuples."""
    paths = names_where(is_path)
    return {name: _saved(name, getattr(settings, name), paths) for name in saved_names()}


def restored_settings(saved: Mapping[str, Any]) -> Settings:
    """The settings of a training.

    Args:
        saved: mapping from `saved_settings`. Names of settings that no longer exist are ignored,
            and those that it lacks have their defaults.
    """
    known = {entry.name for entry in fields()}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in saved.items()
        if name in known
    }
    return Settings(**values)


def count_images(lists: ImageLists) -> dict[str, int]:
    """The numbers of images for `training` and for `validation`."""
    return {"training": len(lists.training), "validation": len(lists.validation)}


def _saved(name: str, value: Any, paths: frozenset[str]) -> Any:
    if name == "dataset":
        return [absolute_name(dataset) for dataset in value]
    if isinstance(value, tuple):
        return list(value)
    is_keyword = value in (None, "none", "memory", "imagenet")
    return value if name not in paths or is_keyword else os.path.abspath(value)
