"""Files that are there whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

_UNFINISHED = ".writing-"


@contextlib.contextmanager
def write_beside(path: str | os.PathLike) -> Iterator[Path]:
    """Yields a temporary path beside `path`, which takes its place if the block succeeds.

    An existing file stays as it was until the new one is complete and on the disk. When the
    block raises, the temporary file is removed and nothing has changed.

    Args:
        path: where the file shall stand in the end. Its folder is created.

    Example:
        with write_beside("card.json") as temporary:
            temporary.write_text(text)
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept, because writers choose the format by it.
    temporary = path.parent / f"{_UNFINISHED}{secrets.token_hex(8)}{path.suffix}"
    # Created like any new file, so that it has the permissions of one.
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        flush_to_disk(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_unfinished(folder: Path) -> None:
    """Removes what processes that were killed had begun to write into a folder."""
    for path in folder.glob(f"{_UNFINISHED}*"):
        if path.is_file():
            path.unlink(missing_ok=True)


def flush_folder_to_disk(path: Path) -> None:
    """Waits until what was renamed in a folder would survive a power cut."""
    if os.name == "nt":
        # Windows opens no folders, and writes names down by itself.
        return
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def flush_to_disk(path: Path) -> None:
    """Waits until a file's contents would survive a power cut."""
    # For writing, as Windows flushes nothing else.
    with open(path, "r+b") as file:
        os.fsync(file.fileno())
