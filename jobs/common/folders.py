"""Checks and creates the folders that jobs write to."""

import errno
import os

from errors import InputError, shown


def check_folder(path: str | os.PathLike, option: str) -> None:
    """Checks that a folder exists or can be created, without creating it.

    Args:
        path: str or path, the folder.
        option: str, the name of the option that gave the folder, for the error message.

    Raises:
        InputError: the folder cannot be created or is not writable.
    """
    existing = os.path.abspath(path)
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        number = errno.EEXIST if existing == os.path.abspath(path) else errno.ENOTDIR
        raise InputError(f"--{option} {shown(path)}: {os.strerror(number)}; give another folder")
    if not os.access(existing, os.W_OK):
        raise InputError(f"--{option} {shown(path)}: it is not writable; give another folder")


def refuse_file(path: str | os.PathLike, option: str) -> None:
    """Refuses a file where a folder of weights is wanted; `Args` as in `check_folder`.

    Raises:
        InputError: the path is a file.
    """
    if os.path.isfile(path):
        raise InputError(
            f"--{option} {shown(path)}: it is a file; give the folder that a training wrote"
        )


def make_folder(path: str | os.PathLike, option: str) -> None:
    """Creates a folder and checks that it is writable; `Args` and `Raises` as in `check_folder`."""
    check_folder(path, option)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--{option} {shown(path)}: {error.strerror}; give another folder"
        ) from error
