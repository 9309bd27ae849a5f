"""Random access to the images in batches of the downsampled ImageNet, without loading them.

A batch is a file of 1.6 GB: a pickled dictionary of arrays, or the same arrays as .npz. Unpickling
it would load all of it and run any code that it contains. Here `pickletools.genops` passes over
the long strings of the pickle, and the short rest is unpickled by an unpickler that knows nothing
but arrays.

Example:
    batch = {"data": np.zeros((3, 12288), "uint8"), "labels": [7, 8, 9]}
    with open("train_data_batch_1", "wb") as file:
        pickle.dump(batch, file)

    rows, labels = find_batch("train_data_batch_1")
    rows[2]                                 # uint8 array of shape (12288,)

Reference: https://docs.python.org/3/library/pickle.html#restricting-globals
"""

import io
import os
import pickle
import pickletools
import re
import shutil
import struct
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from data.atomic import write_beside
from errors import InputError, first_line

# In bytes. Strings of a pickle from this size on stay in the file; an image is longer.
_LONG = 1024

_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")


@dataclass(frozen=True)
class StoredRows:
    """The rows of a two-dimensional uint8 array in a file, read one at a time.

    Attributes:
        path: str, the path of the file.
        offset: int, the position of the array in the file.
        shape: tuple of int, (rows, bytes per row).
    """

    path: str
    offset: int
    shape: tuple[int, int]

    def __getitem__(self, number: int) -> np.ndarray:
        """Reads one row, a uint8 array of shape (bytes per row,).

        Raises:
            OSError: if the file can no longer be read.
        """
        width = self.shape[1]
        with open(self.path, "rb", buffering=0) as file:
            file.seek(self.offset + number * width)
            row = file.read(width)
        if len(row) < width:
            raise OSError(f"the end of {self.path} is missing")
        return np.frombuffer(row, "uint8")


def find_batch(path: str) -> tuple[StoredRows, Any]:
    """Finds the images and the labels of a batch.

    Args:
        path: str, the path of a pickle, or of a file that ends in `.npz`. The images of a
            compressed .npz file are unpacked once, to a file beside it.

    Returns:
        Tuple of the array `data` and of `labels`: an array, or any other content of the file.

    Raises:
        InputError: if the file is damaged, has no such arrays, requests anything but arrays, or
            cannot be unpacked.
    """
    try:
        return _find_in_npz(path) if path.endswith(".npz") else _find_in_pickle(path)
    except InputError:
        raise
    # A damaged file may raise any exception, with text from the file in its message.
    except Exception as error:
        raise InputError(
            f"{path} is not a batch: {first_line(error)[:200]}; download it again, or save it as "
            "uint8 and integers in C order, with pickle protocol 3 or later"
        ) from error


def _stored_rows(
    path: str, offset: int, size: int, shape: tuple, is_transposed: bool, dtype: np.dtype
) -> StoredRows:
    """Returns the rows of `data`, of which there are `size` bytes."""
    if dtype != np.uint8 or len(shape) != 2 or is_transposed:
        raise ValueError("`data` should be a two-dimensional array of uint8 in C order")
    if size != shape[0] * shape[1]:
        raise ValueError("the size of `data` does not match that of its bytes")
    return StoredRows(path, offset, shape)


# --- pickles -----------------------------------------------------------------------------------


def _find_in_pickle(path: str) -> tuple[StoredRows, Any]:
    with open(path, "rb") as file:
        content = _ArrayUnpickler(*_without_long_strings(file)).load()
    # Names in pickles of Python 2 are bytes.
    data, labels = (content.get(name, content.get(name.encode())) for name in ("data", "labels"))
    if not isinstance(data, _Array) or not isinstance(data.raw, range):
        raise ValueError("`data` should be an array of images")
    place, dtype = data.raw, data.kind.dtype()
    rows = _stored_rows(path, place.start, len(place), data.shape, data.is_transposed, dtype)
    return rows, labels.numbers(path) if isinstance(labels, _Array) else labels


class _LongStringError(Exception):
    """Raised instead of reading a long string; the argument is its length."""


class _Opcodes:
    """A pickle for `genops`: what is read is kept in `taken`, and nothing long is read."""

    def __init__(self, file: BinaryIO):
        self._file = file
        self.taken = b""

    def read(self, size: int) -> bytes:
        if size >= _LONG:
            raise _LongStringError(size)
        content = self._file.read(size)
        self.taken += content
        return content

    def readline(self) -> bytes:
        content = self._file.readline(_LONG)
        self.taken += content
        return content


def _without_long_strings(file: BinaryIO) -> tuple[bytes, list[range]]:
    """Returns a pickle with persistent ids for its long strings, and their positions by id."""
    end = os.fstat(file.fileno()).st_size
    short = bytearray()
    places: list[range] = []
    while True:
        source = _Opcodes(file)
        try:
            # `genops` needs only the two methods.
            for opcode, argument, _ in pickletools.genops(source):  # type: ignore[arg-type]
                # Extensions may bypass `find_class`; the memo grows to the largest index.
                if opcode.name.startswith("EXT") or (
                    "PUT" in opcode.name and (argument or 0) > end
                ):
                    raise pickle.UnpicklingError(f"it uses the opcode {opcode.name}")
                # A frame, which is of no use here, would have another length now.
                if opcode.name != "FRAME":
                    short += source.taken
                source.taken = b""
            return bytes(short), places
        except _LongStringError as error:
            [size] = error.args
            if size > end - file.tell():
                raise EOFError("the end is missing") from error
            short += pickle.BININT + struct.pack("<i", len(places)) + pickle.BINPERSID
            places.append(range(file.tell(), file.seek(size, os.SEEK_CUR)))


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles descriptions of arrays; no function of NumPy is called."""

    def __init__(self, short: bytes, places: list[range]):
        super().__init__(io.BytesIO(short), encoding="bytes")
        self._places = places

    def persistent_load(self, pid: Any) -> range:
        return self._places[pid]

    def find_class(self, module: str, name: str) -> Any:
        # The functions are made anew each time, because a pickle may set attributes.
        known = {
            "numpy.ndarray": _Array,
            "numpy.dtype": _Dtype,
            "numpy.core.multiarray._reconstruct": lambda kind, shape, code: _Array(),
            "numpy.core.multiarray.scalar": lambda kind, raw: kind.numbers(raw).item(),
            "numpy.core.numeric._frombuffer": lambda raw, kind, shape, order: _Array(
                shape, kind, order != "C", raw
            ),
        }
        found = known.get(f"{module}.{name}".replace("numpy._core", "numpy.core"))
        if found is None:
            raise pickle.UnpicklingError(f"it requests {module}.{name}; only arrays are supported")
        return found


class _Dtype:
    """A NumPy dtype as a pickle describes it: a code such as `u1`, then the order of bytes."""

    def __init__(self, code: bytes | str, *_: bool):
        self._code, self._order = code, ""

    def __setstate__(self, state: tuple):
        self._order = state[1]

    def dtype(self) -> np.dtype:
        parts = (self._order, self._code)
        code = "".join(part.decode() if isinstance(part, bytes) else part for part in parts)
        if not _NUMBERS.fullmatch(code):
            raise ValueError(f"it contains an array of {code!r} instead of numbers")
        return np.dtype(code)

    def numbers(self, raw: bytes) -> np.ndarray:
        return np.frombuffer(raw, self.dtype())


class _Array:
    """An array as a pickle describes it: `raw` are its bytes, or their positions in the file."""

    def __init__(self, shape: tuple = (), kind: Any = None, is_transposed: Any = False, raw=b""):
        self.shape, self.kind, self.is_transposed, self.raw = shape, kind, is_transposed, raw

    def __setstate__(self, state: tuple):
        _, self.shape, self.kind, self.is_transposed, self.raw = state

    def numbers(self, path: str) -> np.ndarray:
        raw = self.raw
        if isinstance(raw, range):
            raw = np.fromfile(path, "uint8", len(raw), offset=raw.start)
        return self.kind.numbers(raw).reshape(self.shape)


# --- .npz --------------------------------------------------------------------------------------


def _find_in_npz(path: str) -> tuple[StoredRows, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        labels = arrays["labels"]
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo("data.npy")
        with archive.open(member) as file:
            version, _ = np.lib.format.read_magic(file)
            form = getattr(np.lib.format, f"read_array_header_{version}_0")(file)
            header = file.tell()
        rows = _stored_rows(path, header, member.file_size - header, *form)
        if member.compress_type != zipfile.ZIP_STORED:
            return replace(rows, path=_unpack(archive, member, path)), labels
    return replace(rows, offset=_offset(path, member) + header), labels


def _offset(path: str, member: zipfile.ZipInfo) -> int:
    """Returns the position of an uncompressed member (APPNOTE.TXT, 4.3.7)."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return member.header_offset + 30 + name + extra


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> str:
    """Unpacks a compressed member, unless this was done before, and returns the path."""
    target = Path(f"{path.removesuffix('.npz')}.{member.filename}")
    # Unpacked files get the modification time of their archive, so that a replaced archive is
    # unpacked again.
    stamp = os.stat(path).st_mtime_ns
    if target.exists():
        status = target.stat()
        if (status.st_size, status.st_mtime_ns) == (member.file_size, stamp):
            return str(target)
    # `disable=None` hides the bar if standard error is not a terminal.
    bar = {"total": member.file_size, "desc": target.name, "disable": None}
    try:
        with write_beside(target) as temporary:
            with (
                archive.open(member) as source,
                open(temporary, "wb") as file,
                tqdm.wrapattr(file, "write", **bar) as counted,
            ):
                shutil.copyfileobj(source, counted, 1 << 20)
            os.utime(temporary, ns=(stamp, stamp))
    except OSError as error:
        raise InputError(
            f"{path} is compressed and cannot be unpacked to {target}: {error.strerror}; free disk "
            "space there and make the folder writable, or give the pickled batches"
        ) from error
    return str(target)
