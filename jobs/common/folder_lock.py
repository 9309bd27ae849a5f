"""One training in a folder at a time."""

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
    """Holds a folder of weights for one training.

    The system gives the lock back when the process ends, however it ends. Where nothing was put
    into the folder, what had to be made is removed again.

    Args:
        folder: it is made where there is none.

    Raises:
        InputError: another training holds it, or it cannot be made.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    make_folder(folder, "weights_dir")
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"--weights_dir {shown(folder)}: another training is at work in it; wait until it is "
            "done, stop it, or give another folder"
        ) from error
    except NotImplementedError:
        print(
            f"warning: the disk of {shown(folder)} knows no locks: see to it yourself that no "
            "other training writes there",
            file=sys.stderr,
        )
    try:
        yield
    finally:
        # Unless others have put something there, or taken it all away.
        with contextlib.suppress(OSError):
            if [place.name for place in folder.iterdir()] == [_LOCK]:
                (folder / _LOCK).unlink()
                for place in missing:
                    place.rmdir()
        lock.release()
