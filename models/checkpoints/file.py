"""Files of weights as Keras writes them: room for them, and one clear error where they fail."""

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
    """Makes sure that the weights of a model fit on the disk: HDF5 may crash where it is full.

    Args:
        folder: where they go.
        model: with all that is saved along.
        what: str, for the error.

    Raises:
        OSError: they do not.
    """
    needed = 1.1 * _bytes_of(model)
    if shutil.disk_usage(folder).free < needed:
        raise OSError(
            errno.ENOSPC, f"the disk is full: {what} takes {needed / 1e6:.0f} MB", str(folder)
        )


def save_weights(model: keras.Model, path: Path) -> None:
    """Writes all weights of a model, its optimizers' too.

    Raises:
        OSError: they cannot be written, whatever HDF5 makes of it.
    """
    try:
        model.save_weights(path)
    except RuntimeError as error:
        # Where a disk fills up in the meantime HDF5 says so in the middle of a long sentence.
        number = re.search(r"errno = (\d+)", str(error))
        if number is None:
            raise
        number = int(number[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def load_weights(model: keras.Model, path: Path) -> None:
    """Loads all weights of a model, its optimizers' too.

    Raises:
        InputError: the file is broken or of another network.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns once for each layer that does not fit, before it raises.
            warnings.simplefilter("ignore", UserWarning)
            # An optimizer without its state would go on as if nothing had been learned.
            warnings.filterwarnings("error", "Skipping variable loading for optimizer")
            model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path} cannot be loaded: it is broken or of another network ({first_line(error)})"
        ) from error


def _bytes_of(model: keras.Model) -> int:
    optimizers = [value for value in vars(model).values() if isinstance(value, keras.Optimizer)]
    variables = [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]
    return sum(math.prod(variable.shape) * 4 for variable in variables)
