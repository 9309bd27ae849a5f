"""A private temporary folder, which is gone at the end."""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX = "colorizer-page-"
_LOCK = ".lock"


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """Creates a folder that only this user can open, and removes it with its contents.

    What earlier processes left because they were killed is removed too. A lock beside each folder
    tells which ones are in use: the operating system releases it when a process ends.

    Yields:
        Path of the folder.

    Raises:
        OSError: it cannot be created.
    """
    _remove_abandoned()
    # Locked before it exists, so that no other process takes it for abandoned.
    folder = Path(tempfile.gettempdir()) / (_PREFIX + secrets.token_hex(8))
    lock = FileLock(folder.with_name(folder.name + _LOCK))
    with lock:
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            Path(lock.lock_file).unlink(missing_ok=True)


def _remove_abandoned() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*{_LOCK}"):
        folder = path.with_name(path.name.removesuffix(_LOCK))
        # The folders of other users, and those in use.
        with contextlib.suppress(OSError, Timeout):
            if hasattr(os, "getuid") and path.lstat().st_uid != os.getuid():
                continue
            with FileLock(path, timeout=0):
                if folder.is_dir() and not folder.is_symlink():
                    shutil.rmtree(folder)
                path.unlink(missing_ok=True)
