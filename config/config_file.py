"""Reads the settings in a file: TOML, JSON, or the settings.json of a training."""

import json
import tomllib
from pathlib import Path
from typing import Any

from config.groups.argument_types import value_type
from config.settings import fields, is_path
from data.datasets.dataset_name import did_you_mean
from errors import InputError

# What one value of a type may be in a file, and how to call it.
_TYPES = {
    bool: ((bool,), "true or false"),
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "text"),
    tuple: ((str,), "text"),
}


def read_config_file(path: str) -> tuple[list[str], bool]:
    """Reads the settings in a file.

    Args:
        path: str, a .toml or .json file with values by the names of the settings, or the
            settings.json of a training, which has all of them under `settings`.

    Returns:
        Tuple of the same settings as arguments of the command line, which checks their values,
        and whether the file is that of a training.

    Raises:
        InputError: the file cannot be read, or has an unknown name or a value of another type.
    """
    contents = _read(path)
    saved: Any = contents.get("settings")
    is_of_training = isinstance(saved, dict)
    if is_of_training:
        # What an older file lacks is newer than its training, which had the default. The weights
        # that ship have no paths.
        saved_by_default = (entry for entry in fields() if entry.metadata["saved"])
        defaults = {entry.name: entry.default for entry in saved_by_default if not is_path(entry)}
        contents = {**defaults, **saved}
    return [
        argument for key, value in contents.items() for argument in _arguments(path, key, value)
    ], is_of_training


def _read(path: str) -> dict[str, Any]:
    readers = {".toml": tomllib.loads, ".json": json.loads}
    if Path(path).suffix not in readers:
        raise InputError(f"--config {path}: give a .toml or .json file")
    try:
        contents = readers[Path(path).suffix](Path(path).read_text("utf-8"))
    except OSError as error:
        raise InputError(f"--config {path}: {error.strerror}") from error
    except ValueError as error:
        raise InputError(f"--config {path}: cannot be read: {error}") from error
    if not isinstance(contents, dict):
        raise InputError(f'--config {path}: contains no values by name, as in {{"epochs": 30}}')
    return contents


def _arguments(path: str, key: str, value: Any) -> list[str]:
    names = {
        name: entry
        for entry in fields()
        for name in (entry.name, *entry.metadata["aliases"])
        if name != "config"
    }
    name = key.replace("-", "_")
    if name not in names:
        raise InputError(f"{path}: unknown setting {key}{did_you_mean(name, list(names))}")
    if value is None and names[name].default is None:
        return []
    kind, is_list, _ = value_type(names[name].type)
    accepted, wanted = _TYPES[kind]
    has_list = isinstance(value, list | tuple)
    values = value if has_list else [value]
    if has_list != is_list or not values or any(type(each) not in accepted for each in values):
        raise InputError(
            f"{path}: {key} takes {'a list, each value ' if is_list else ''}{wanted}; "
            f"received {json.dumps(value, default=str)}"
        )
    if kind is bool:
        return [f"--{name}" if value else f"--no_{name}"]
    return [f"--{name}={each}" for each in values]
