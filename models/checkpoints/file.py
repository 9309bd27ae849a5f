"""Saving and loading of Keras weights, with a check for disk space and clear errors."""

import errno
import math
import os
import re
import shutil
import warnings
from pathlib import Path

import keras

from errors import InputError, first_line


def require_room(folder: Path, model: keras.Model, what: str) -> None:
    """Checks that the weights of a model fit on the disk, because HDF5 may crash on a full one.

    Args:
        folder: the folder for the file.
        model: the model, with the optimizers that are saved with it.
        what: str, what is saved, for the error message.

    Raises:
        OSError: they do not fit.
    """
    needed = 1.1 * _bytes_of(model)
    if shutil.disk_usage(folder).free < needed:
        raise OSError(
            errno.ENOSPC, f"the disk is full: {what} takes {needed / 1e6:.0f} MB", str(folder)
        )


def save_weights(model: keras.Model, path: Path) -> None:
    """Saves all weights of a model and of its optimizers.

    Raises:
        OSError: they cannot be written, also where HDF5 raises a RuntimeError.
    """
    try:
        model.save_weights(path)
    except RuntimeError as error:
        # If the disk fills up while writing, HDF5 gives the errno within a long message.
        found = re.search(r"errno = (\d+)", str(error))
        if found is None:
            raise
        number = int(found[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def load_weights(model: keras.Model, path: Path) -> None:
    """Loads all weights of a model and of its optimizers.

    Raises:
        InputError: the file is damaged or was saved from another network.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns of each layer that does not fit before it raises.
            warnings.simplefilter("ignore", UserWarning)
            # Keras only warns of an optimizer whose state is missing, and would start it anew.
            warnings.filterwarnings("error", "Skipping variable loading for optimizer")
            model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} cannot be loaded: it is damaged or from another network ({first_line(error)})"
        ) from error


def _bytes_of(model: keras.Model) -> int:
    optimizers = [value for value in vars(model).values() if isinstance(value, keras.Optimizer)]
    variables = [variable for part in (model, *optimizers) for variable in part.variables]
    # `optimizer` is also the generator's.
    different = {id(variable): variable for variable in variables}
    return sum(math.prod(variable.shape) * 4 for variable in different.values())
