"""The files of pretrained networks: downloads, and what is wrong with a file."""

import contextlib
import os
from collections.abc import Iterator

import keras

from data.downloads import without_bars
from data.keras_cache import in_keras_cache
from errors import InputError, first_line


def download(address: str, file_hash: str, what: str) -> str:
    """Returns the path of a file in Keras' cache, after downloading it if it is missing.

    Args:
        address: str, the URL of a file that never changes.
        file_hash: str, its SHA-256 or MD5 in hexadecimal.
        what: str, a noun for the error message, such as "VGG19's weights".

    Raises:
        InputError: the file cannot be downloaded; the message says where to put it.
    """
    try:
        with without_bars():
            return keras.utils.get_file(origin=address, file_hash=file_hash, cache_subdir="models")
    # `get_file` raises a bare Exception.
    except Exception as error:
        target = in_keras_cache(address.rpartition("/")[2])
        raise InputError(
            f"{what} cannot be downloaded; put {address} at {target}, or give a file"
        ) from error


@contextlib.contextmanager
def reading(path: str | os.PathLike, what: str) -> Iterator[None]:
    """Translates the errors of reading a file.

    Args:
        path: str or path of the file.
        what: str, a noun for what the file should be.

    Raises:
        InputError: the file does not exist, or the block could not read it.
    """
    if not os.path.exists(path):
        raise InputError(f"{path}: there is no such file; give {what}")
    try:
        yield
    # h5py, zipfile, NumPy and Keras raise all kinds of errors for files of another kind.
    except Exception as error:
        raise InputError(
            f"{path}: it cannot be read as {what} ({first_line(error)}); give another file"
        ) from error
