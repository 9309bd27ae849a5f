"""Random access to the records of TFRecord files.

TensorFlow reads these files sequentially. Random access needs the offset of each record, and a file
is scanned for these offsets when one of its records is first read.
"""

import bisect
import itertools
import os
import struct
import threading
from collections.abc import Sequence

import numpy as np

# A record is its length (8 bytes), a checksum of the length, the data and a checksum of the data.
_LENGTH = struct.Struct("<Q")
_CHECKSUM = 4


class TFRecords:
    """A sequence of the records of several TFRecord files.

    Args:
        paths: sequence of str, the paths of the files.
        counts: sequence of int, the number of records in each file.

    Example:
        with tf.io.TFRecordWriter("words.tfrecord") as writer:
            writer.write(b"red")
            writer.write(b"green")
        TFRecords(["words.tfrecord"], [2])[1]               # b"green"

    Reference: https://www.tensorflow.org/tutorials/load_data/tfrecord
    """

    def __init__(self, paths: Sequence[str], counts: Sequence[int]):
        self.paths = list(paths)
        self._counts = list(counts)
        # For each file, the index after that of its last record.
        self._ends = list(itertools.accumulate(counts))
        self._starts: dict[int, np.ndarray] = {}
        self._locks = [threading.Lock() for _ in self.paths]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, number: int) -> bytes:
        """Returns the data of a record.

        Raises:
            IndexError: if there is no such record.
            OSError: if its file cannot be read, is truncated or has an unexpected number of
                records.
        """
        if not 0 <= number < len(self):
            raise IndexError(f"record index {number} is out of range for {len(self)} records")
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
    """Returns the offsets of the records of a file, int64 of shape (count,)."""
    starts = np.empty(count, "int64")
    offset, size = 0, os.path.getsize(path)
    # Unbuffered, because a whole buffer would be read for every eight bytes.
    with open(path, "rb", buffering=0) as stream:
        for number in range(count):
            stream.seek(offset)
            head = stream.read(_LENGTH.size)
            starts[number] = offset
            offset += len(head) + 2 * _CHECKSUM
            offset += _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else size
            if offset > size:
                raise OSError(f"{path} is cut off after {number} of {count} records")
    if offset < size:
        raise OSError(f"{path} has more than the expected {count} records")
    return starts
