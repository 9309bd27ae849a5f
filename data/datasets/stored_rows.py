"""Rows of bytes that lie in a file, found without reading them: in a pickle, in an .npz, or alone.

    arrays = find_in_pickle("train_data_batch_1")
    arrays["data"].row(12)                  # (12288,) uint8
    arrays["labels"]                        # (128116,) int64

The official downsampled ImageNet comes in files of 1.6 GB, each one pickled dictionary. To
unpickle a file is to hold it in memory, and to run whatever it says. Here neither happens: only
NumPy's arrays are understood, and of a large one just the place in the file is kept.
"""

import io
import math
import os
import pickle
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from data.atomic import write_beside
from errors import InputError, first_line

# Larger pieces of a pickle are passed over, and read again where they are wanted.
_LARGE = 4096

_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")

# What is unpacked beside an .npz: nothing that would lead elsewhere.
_NAME = re.compile(r"\w+\.npy")

_FORTRAN = "it holds an array in Fortran's order; write it in C's (numpy.ascontiguousarray)"


class _UnknownFormError(Exception):
    """A sound file of a form that is not read here; the message says what to do."""


class StoredRows:
    """A two-dimensional array of bytes in a file, read row by row.

    Args:
        path: the file.
        offset: int, where the array begins.
        shape: (rows, bytes in a row).
        held: bytes or None, the array itself when it is too small to be worth a place.

    Raises:
        ValueError: the file is shorter than that.
    """

    def __init__(self, path: str, offset: int, shape: tuple[int, int], held: bytes | None = None):
        self.path = path
        self.offset = offset
        self.shape = shape
        self.held = held
        rows, width = shape
        if len(held or b"") < rows * width and os.path.getsize(path) < offset + rows * width:
            raise ValueError("the end is missing")

    def row(self, number: int) -> np.ndarray:
        """One row, uint8 of shape (bytes in a row,).

        Raises:
            OSError: the file cannot be read any more.
        """
        width = self.shape[1]
        if self.held is not None:
            row = self.held[number * width : (number + 1) * width]
        else:
            with open(self.path, "rb") as file:
                file.seek(self.offset + number * width)
                row = file.read(width)
        if len(row) < width:
            raise OSError(f"the end of {self.path} is missing")
        return np.frombuffer(row, "uint8")


def find_in_pickle(path: str) -> dict[str, Any]:
    """Finds the arrays of a pickled dictionary of arrays, numbers and lists.

    Returns:
        By name: `StoredRows` for each two-dimensional array of uint8, an array for each other one,
        and what else there is as it is.

    Raises:
        InputError: it is cut off, is no such pickle, or asks for anything but NumPy arrays.
    """
    try:
        with open(path, "rb") as file:
            content = _ArrayUnpickler(file).load()
        if not isinstance(content, dict):
            raise pickle.UnpicklingError(f"it holds a {type(content).__name__}, and no dictionary")
        return {_text(name): _found(value, path) for name, value in content.items()}
    except EOFError as error:
        raise InputError(f"{path}: the end is missing; download it again") from error
    except _UnknownFormError as error:
        raise InputError(f"{path}: {error}") from error
    # A damaged pickle raises whatever it happens to call for.
    except Exception as error:
        raise InputError(
            f"{path} is no pickled batch: {_reason(error)}; download it again"
        ) from error


def find_in_npz(path: str) -> dict[str, Any]:
    """Finds the arrays of an .npz, as `find_in_pickle` does.

    Images that are compressed are unpacked once, to a file beside the archive.

    Raises:
        InputError: it is damaged, is no .npz, or cannot be unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                member.filename.removesuffix(".npy"): _found_member(archive, member, path)
                for member in archive.infolist()
            }
    except InputError:
        raise
    except _UnknownFormError as error:
        raise InputError(f"{path}: {error}") from error
    # A damaged archive, like a damaged pickle, raises whatever it happens to call for.
    except Exception as error:
        raise InputError(f"{path} is no .npz batch: {_reason(error)}; download it again") from error


# --- pickles -----------------------------------------------------------------------------------


class _Piece:
    """A large piece of bytes that was passed over.

    Args:
        place: int, where it begins in the file.
        size: int, how long it is.
    """

    def __init__(self, place: int, size: int):
        self.place = place
        self.size = size

    def __len__(self) -> int:
        return self.size


class _ArrayUnpickler(pickle._Unpickler):
    """Knows NumPy arrays and nothing else; not even these are made by NumPy.

    It is Python's unpickler that is written in Python: the other one reads every piece of bytes,
    and takes as much memory as a file of a few bytes asks it to. Large pieces are passed over.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: io.BufferedReader):
        super().__init__(file, encoding="bytes")
        self._file = file
        self._end = os.fstat(file.fileno()).st_size

    def _load_piece(self, form: str) -> None:
        (size,) = struct.unpack(form, self.read(struct.calcsize(form)))
        place = self._file.tell()
        if not 0 <= size <= self._end - place:
            raise EOFError
        if size < _LARGE:
            self.append(self.read(size))
        else:
            self._file.seek(size, os.SEEK_CUR)
            self.append(_Piece(place, size))

    def _load_text(self, form: str) -> None:
        (size,) = struct.unpack(form, self.read(struct.calcsize(form)))
        if size > self._end - self._file.tell():
            raise EOFError
        self.append(str(self.read(size), "utf-8", "surrogatepass"))

    def _load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _PickledArray | _PickledType):
            raise pickle.UnpicklingError("it sets what is none of an array")
        self.stack[-1].__setstate__(state)

    # The frames of protocol 4 say how much to read at once, and are not needed.
    dispatch[pickle.FRAME[0]] = lambda self: self.read(8)
    dispatch[pickle.BINSTRING[0]] = lambda self: self._load_piece("<i")
    dispatch[pickle.BINBYTES[0]] = lambda self: self._load_piece("<I")
    dispatch[pickle.BINBYTES8[0]] = lambda self: self._load_piece("<Q")
    dispatch[pickle.BYTEARRAY8[0]] = lambda self: self._load_piece("<Q")
    dispatch[pickle.BINUNICODE[0]] = lambda self: self._load_text("<I")
    dispatch[pickle.BINUNICODE8[0]] = lambda self: self._load_text("<Q")
    dispatch[pickle.BUILD[0]] = _load_build

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError(f"it asks for extension {code}, and not for NumPy arrays only")

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "ndarray"):
            return _PickledArray
        if (module, name) == ("numpy", "dtype"):
            return _PickledType
        if module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            if name == "_reconstruct":
                return lambda kind, shape, code: _PickledArray()
            if name == "scalar":
                return lambda kind, raw: kind.numbers(raw)[0].item()
        if module in ("numpy.core.numeric", "numpy._core.numeric") and name == "_frombuffer":
            return self._from_buffer
        if (module, name) == ("_codecs", "encode"):
            raise _UnknownFormError(
                "its bytes are written as text (a protocol below 3); write it with a newer one"
            )
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and not for NumPy arrays only")

    def _from_buffer(self, raw, kind, shape, order):
        array = _PickledArray()
        array.__setstate__((1, shape, kind, order != "C", raw))
        return array


class _PickledType:
    """A type of numbers as a pickle describes it."""

    def __init__(self, code: Any, align: Any = False, copy: Any = True):
        self.code = _text(code)
        self.order = "|"

    def __setstate__(self, state):
        self.order = _text(state[1])

    @property
    def dtype(self) -> np.dtype:
        if not _NUMBERS.fullmatch(self.code):
            raise pickle.UnpicklingError(f"it holds an array of {self.code!r}, and not of numbers")
        return np.dtype(self.code).newbyteorder(self.order)

    def numbers(self, raw: bytes) -> np.ndarray:
        return np.frombuffer(raw, self.dtype)


class _PickledArray:
    """An array as a pickle describes it: its numbers, or where they lie in the file."""

    def __init__(self):
        self.shape = self.kind = self.is_transposed = self.held = self.place = None

    def __setstate__(self, state):
        _, shape, self.kind, self.is_transposed, raw = state
        self.shape = tuple(int(side) for side in shape)
        if not isinstance(self.kind, _PickledType) or not isinstance(raw, bytes | _Piece):
            raise pickle.UnpicklingError("it holds an array of objects, and not of numbers")
        if len(raw) != math.prod(self.shape) * self.kind.dtype.itemsize:
            raise pickle.UnpicklingError("the size of an array is not that of its bytes")
        self.place, self.held = (raw.place, None) if isinstance(raw, _Piece) else (None, raw)


def _found(value: Any, path: str) -> Any:
    if isinstance(value, _Piece):
        return _read(path, value.place, value.size)
    if not isinstance(value, _PickledArray):
        return value
    if value.shape is None:
        raise pickle.UnpicklingError("it holds an array without its bytes")
    if value.is_transposed and len(value.shape) > 1:
        raise _UnknownFormError(_FORTRAN)
    dtype = value.kind.dtype
    if dtype == np.uint8 and len(value.shape) == 2:
        return StoredRows(path, value.place, value.shape, value.held)
    raw = value.held
    if raw is None:
        raw = _read(path, value.place, math.prod(value.shape) * dtype.itemsize)
    return np.frombuffer(raw, dtype).reshape(value.shape)


def _read(path: str, place: int, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(place)
        return file.read(size)


def _text(name: Any) -> str:
    """Python 2 wrote names as bytes."""
    if not isinstance(name, bytes | str):
        raise pickle.UnpicklingError(f"a name should be text; received a {type(name).__name__}")
    return name.decode("latin-1") if isinstance(name, bytes) else name


def _reason(error: Exception) -> str:
    """What was wrong, in a line as long as a line; files may have words of their own in it."""
    return first_line(error)[:200]


# --- .npz --------------------------------------------------------------------------------------


def _found_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> Any:
    with archive.open(member) as file:
        shape, is_transposed, dtype = _npy_header(file)
        header = file.tell()
        if dtype != np.uint8 or len(shape) != 2:
            numbers = np.frombuffer(file.read(), dtype)
            return numbers.reshape(shape, order="F" if is_transposed else "C")
    if is_transposed:
        raise _UnknownFormError(_FORTRAN)
    if member.compress_type == zipfile.ZIP_STORED:
        return StoredRows(path, _offset_of(path, member) + header, shape)
    return StoredRows(_unpacked(archive, member, path), header, shape)


def _npy_header(file: io.IOBase) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"version {version} of its arrays is unknown")
    shape, is_transposed, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds an array of objects, and not of numbers")
    return shape, is_transposed, dtype


def _offset_of(path: str, member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member that is not compressed begin (APPNOTE.TXT, 4.3.7)."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return member.header_offset + 30 + name + extra


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> str:
    """The file that a compressed member is unpacked to, once."""
    if not _NAME.fullmatch(member.filename):
        raise ValueError(f"it holds {member.filename}, which is no name of an array")
    target = Path(f"{path.removesuffix('.npz')}.{member.filename}")
    # Unpacked files have the time of their archive: another archive is unpacked anew.
    stamp = os.stat(path).st_mtime_ns
    if target.exists() and (target.stat().st_size, target.stat().st_mtime_ns) == (
        member.file_size,
        stamp,
    ):
        return str(target)
    # No bar where standard error is a file.
    bar = tqdm(total=member.file_size, unit="B", unit_scale=True, desc=target.name, disable=None)
    try:
        with bar, write_beside(target) as temporary:
            with archive.open(member) as source, open(temporary, "wb") as file:
                while piece := source.read(1 << 20):
                    file.write(piece)
                    bar.update(len(piece))
            os.utime(temporary, ns=(stamp, stamp))
    except OSError as error:
        if error.errno is None:
            raise
        raise InputError(
            f"{path} is compressed, and cannot be unpacked to {target}: {error.strerror}; make "
            "room there and let it be written, or give the pickled batches"
        ) from error
    return str(target)
