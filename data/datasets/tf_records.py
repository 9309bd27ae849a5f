"""Records of TFRecord files, by number.

TensorFlow reads these files from the front to the back. To read any record at any time takes where
each begins; a file is searched for that when its first record is asked for.
"""

import bisect
import itertools
import os
import struct
import threading
from collections.abc import Sequence

import numpy as np

# A record: its length as 8 bytes, their checksum, the bytes, their checksum.
_LENGTH = struct.Struct("<Q")
_CHECKSUM = 4


class TFRecords:
    """The records of several files as one sequence.

    Args:
        paths: the files.
        counts: how many records each has.

    Reference: https://www.tensorflow.org/tutorials/load_data/tfrecord
    """

    def __init__(self, paths: Sequence[str], counts: Sequence[int]):
        self.paths = list(paths)
        self._counts = list(counts)
        # The number after the last record of each file.
        self._ends = list(itertools.accumulate(counts))
        self._starts: dict[int, np.ndarray] = {}
        self._locks = [threading.Lock() for _ in self.paths]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def path(self, number: int) -> str:
        """The file that holds a record."""
        return self.paths[bisect.bisect_right(self._ends, number)]

    def __getitem__(self, number: int) -> bytes:
        """The bytes of a record.

        Raises:
            IndexError: there is no such record.
            OSError: its file cannot be read, is cut off, or has another number of records.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"there is no record {number} among {len(self)}")
        file = bisect.bisect_right(self._ends, number)
        starts = self._starts_of(file)
        start = int(starts[number - self._ends[file] + self._counts[file]])
        with open(self.paths[file], "rb") as stream:
            stream.seek(start)
            head = stream.read(_LENGTH.size + _CHECKSUM)
            length = _LENGTH.unpack_from(head)[0] if len(head) > _LENGTH.size else 0
            record = stream.read(length + _CHECKSUM)
        if len(record) < length + _CHECKSUM:
            raise OSError(f"{self.paths[file]} is cut off at record {number}")
        return record[:length]

    def _starts_of(self, file: int) -> np.ndarray:
        with self._locks[file]:
            if file not in self._starts:
                self._starts[file] = _find_starts(self.paths[file], self._counts[file])
            return self._starts[file]


def _find_starts(path: str, count: int) -> np.ndarray:
    """Where the records of a file begin, int64 of shape (count,)."""
    starts = np.empty(count, "int64")
    place, size = 0, os.path.getsize(path)
    # A buffer would be filled for every eight bytes.
    with open(path, "rb", buffering=0) as stream:
        for number in range(count):
            stream.seek(place)
            head = stream.read(_LENGTH.size)
            starts[number] = place
            place += len(head) + 2 * _CHECKSUM
            place += _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else size
            if place > size:
                raise OSError(f"{path} is cut off after {number} of {count} records")
    if place < size:
        raise OSError(f"{path} has more than the {count} records it should have")
    return starts
