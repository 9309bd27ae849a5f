"""Files that are written completely or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

_UNFINISHED = ".writing-"


@contextlib.contextmanager
def write_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path` and renames it to `path` if the block succeeds.

    An existing file stays unchanged until the new one is complete and flushed to disk. If the block
    raises an exception, the temporary file is removed and nothing has changed.

    Args:
        path: the final path of the file. Its folder is created.

    Example:
        with write_beside("notes/colors.txt") as temporary:
            temporary.write_text("sky: blue")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Writers choose the format by the suffix.
    temporary = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}{path.suffix}"
    # Unlike the files of `tempfile`, this one gets the usual permissions of a new file.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes the temporary files that killed processes left in a folder."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def flush_folder_to_disk(path: Path) -> None:
    """Waits until the renames in a folder would survive a power failure."""
    if os.name == "nt":
        # Windows cannot open folders, and it flushes renames by itself.
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def flush_to_disk(path: Path) -> None:
    """Waits until the contents of a file would survive a power failure."""
    # Windows flushes only files that are open for writing.
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
