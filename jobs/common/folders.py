"""Folders that a job writes to."""

import errno
import os

from errors import InputError, shown


def check_folder(path: str | os.PathLike, option: str) -> None:
    """Makes sure that a folder is there or can be made, and makes none.

    Args:
        path: the folder.
        option: str, the argument that names it, for the error.

    Raises:
        InputError: it cannot be made or written.
    """
    place = os.path.abspath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    if not os.path.isdir(place):
        number = errno.EEXIST if place == os.path.abspath(path) else errno.ENOTDIR
        raise InputError(f"--{option} {shown(path)}: {os.strerror(number)}; give another folder")
    if not os.access(place, os.W_OK):
        raise InputError(f"--{option} {shown(path)}: it cannot be written; give another folder")


def make_folder(path: str | os.PathLike, option: str) -> None:
    """Creates a folder, and makes sure that it can be written before any work is done.

    Args:
        path: the folder.
        option: str, the argument that names it, for the error.

    Raises:
        InputError: it cannot be made or written.
    """
    check_folder(path, option)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--{option} {shown(path)}: {error.strerror}; give another folder"
        ) from error
