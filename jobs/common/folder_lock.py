"""A lock that allows one training at a time in a folder of weights."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from errors import InputError, shown
from jobs.common.folders import make_folder

_LOCK = ".lock"


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Locks a folder of weights for one training.

    The operating system releases the lock when the process ends, however it ends. If nothing was
    written to the folder, the lock file and the folders created here are removed again.

    Args:
        folder: `pathlib.Path`, the folder. Created if it does not exist.

    Raises:
        InputError: another training holds the lock, or the folder cannot be created.
    """
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    make_folder(folder, "weights_dir")
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"--weights_dir {shown(folder)}: another training is running in this folder; wait "
            "until it ends, stop it, or give another folder"
        ) from error
    except NotImplementedError:
        print(
            f"warning: the file system of {shown(folder)} does not support locks; make sure that "
            "no other training writes to this folder",
            file=sys.stderr,
        )
    try:
        yield
    finally:
        # An OSError means that others removed the folder or put files next to it.
        with contextlib.suppress(OSError):
            if [path.name for path in folder.iterdir()] == [_LOCK]:
                (folder / _LOCK).unlink()
                for path in missing:
                    path.rmdir()
        lock.release()
