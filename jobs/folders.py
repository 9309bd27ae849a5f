"""Folders that a job writes to."""

import os

from errors import InputError, shown


def make_folder(path: str | os.PathLike, option: str) -> None:
    """Creates a folder, and makes sure that it can be written before any work is done.

    Args:
        path: the folder.
        option: str, the argument that names it, for the error.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--{option} {shown(path)}: {error.strerror}; give another folder"
        ) from error
    if not os.access(path, os.W_OK):
        raise InputError(f"--{option} {shown(path)}: it cannot be written; give another folder")
