"""What a teacher sees in each image of a dataset, kept so that no epoch asks for it twice."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from data.atomic import write_beside
from errors import InputError

# Half precision rounds each number of a row. Of 8,000 random rows of 1,000 classes none had a sum
# further from 1 than 3.2e-4.
_TOLERANCE = 2e-3

# Rows that are looked at together.
_BLOCK = 4096


class DistributionCache:
    """A file of one row for each image, written while it is there, from one run to the next.

    The file is as long as all rows from the beginning, of float16; a row of zeros is not there
    yet, and neither is one that a crash cut in half, because a distribution sums to 1.

    Args:
        folder: where the file stands. Created.
        names: of the images, in their order. Another list is another file.
        classes: int, how many numbers a row has.
        teacher: str, whose distributions they are. Another one's are in another file.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike, names: Iterable[str], classes: int, teacher: str):
        digest = hashlib.sha256(f"{teacher}\n{classes}\n".encode())
        count = 0
        for name in names:
            digest.update(name.encode("utf-8", "surrogateescape") + b"\n")
            count += 1
        self.path = Path(folder) / f"distributions_{digest.hexdigest()[:16]}.float16"
        size = count * classes * 2
        try:
            if not self.path.exists() or self.path.stat().st_size != size:
                _make_room(self.path, size)
            self._rows = np.memmap(self.path, "float16", "r+", shape=(count, classes))
        except OSError as error:
            raise InputError(
                f"--teacher_cache {folder}: {error.strerror}; give another folder"
            ) from error

    def get(self, number: int) -> np.ndarray | None:
        """The distribution of an image, float32 of shape (classes,), or None."""
        row = self._rows[number].astype("float32")
        total = row.sum()
        return row / total if _is_whole(total) else None

    def put(self, number: int, distribution: np.ndarray) -> None:
        """Keeps the distribution of an image, of shape (classes,)."""
        self._rows[number] = distribution

    def missing(self) -> list[int]:
        """The numbers of the images whose distributions are not there."""
        blocks = (self._rows[first : first + _BLOCK] for first in range(0, len(self._rows), _BLOCK))
        totals = [block.sum(axis=1, dtype="float32") for block in blocks]
        return np.flatnonzero(~_is_whole(np.concatenate([np.zeros(0), *totals]))).tolist()

    def flush(self) -> None:
        """Writes to the disk what is still in memory."""
        self._rows.flush()


def _is_whole(total):
    """Whether the numbers of a row that sum to this are all there."""
    return np.abs(total - 1.0) < _TOLERANCE


def _make_room(path: Path, size: int) -> None:
    """A file of this size, of zeros, whose place on the disk is taken.

    A disk that fills while rows are written would end the process. Where it is full already there
    is no file, which the next start would take for one with its place.
    """
    with write_beside(path) as temporary, open(temporary, "wb") as file:
        file.truncate(size)
        if size and hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
