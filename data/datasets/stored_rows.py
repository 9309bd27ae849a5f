"""Random access to the rows of large arrays in pickle and .npz files, without loading the arrays.

The official downsampled ImageNet is published in files of 1.6 GB, each a pickled dictionary.
Unpickling such a file would load all of it into memory and run any code that it contains. This
module does neither: it only supports NumPy arrays, and stores just the file offset of large ones.

Example:
    batch = {"data": np.zeros((3, 12288), "uint8"), "labels": np.array([7, 8, 9])}
    with open("train_data_batch_1", "wb") as file:
        pickle.dump(batch, file)

    arrays = find_in_pickle("train_data_batch_1")
    arrays["data"].row(2)                   # uint8 array of shape (12288,)
    arrays["labels"]                        # int64 array of shape (3,)
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

# In bytes. Byte strings of a pickle from this size on are skipped and read later, on demand.
_LARGE = 4096

_NUMBERS = re.compile(r"[<>|=]?[biuf][1248]")

# Members of an .npz that may be unpacked beside it. Path separators are excluded.
_NAME = re.compile(r"\w+\.npy")

_FORTRAN = "it contains an array in Fortran order; save it in C order (numpy.ascontiguousarray)"


class _UnknownFormError(Exception):
    """Raised for a valid file in an unsupported format; the message says what to do."""


class StoredRows:
    """Reads a two-dimensional uint8 array from a file, row by row.

    Args:
        path: str, the path of the file.
        offset: int, the position of the array in the file. Ignored if `held` is given.
        shape: tuple of int, (rows, bytes per row).
        held: bytes or None, the content of an array that is small enough to hold in memory.
            Defaults to `None`.

    Raises:
        ValueError: if the file ends before the array does.
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
        """Reads one row, a uint8 array of shape (bytes per row,).

        Raises:
            OSError: if the file can no longer be read.
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

    Args:
        path: str, the path of the pickle.

    Returns:
        Dict by name: `StoredRows` for each two-dimensional uint8 array, a NumPy array for any
        other array, and all other values unchanged.

    Raises:
        InputError: if the file is truncated, does not contain such a dictionary, or requests
            anything but NumPy arrays.
    """
    try:
        with open(path, "rb") as file:
            content = _ArrayUnpickler(file).load()
        if not isinstance(content, dict):
            raise pickle.UnpicklingError(
                f"it contains a {type(content).__name__} instead of a dictionary"
            )
        return {_text(name): _found(value, path) for name, value in content.items()}
    except EOFError as error:
        raise InputError(f"{path}: the end is missing; download it again") from error
    except _UnknownFormError as error:
        raise InputError(f"{path}: {error}") from error
    # A damaged pickle may raise any exception.
    except Exception as error:
        raise InputError(
            f"{path} is not a pickled batch: {_reason(error)}; download it again"
        ) from error


def find_in_npz(path: str) -> dict[str, Any]:
    """Finds the arrays of an .npz file, as `find_in_pickle` does.

    Compressed images are unpacked once, to a file beside the archive.

    Args:
        path: str, the path of the .npz file.

    Returns:
        Dict by name, as from `find_in_pickle`.

    Raises:
        InputError: if the file is damaged, is not an .npz file or cannot be unpacked.
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
    # A damaged archive may raise any exception.
    except Exception as error:
        raise InputError(
            f"{path} is not an .npz batch: {_reason(error)}; download it again"
        ) from error


# --- pickles -----------------------------------------------------------------------------------


class _Piece:
    """A large byte string that was skipped.

    Args:
        offset: int, its position in the file.
        size: int, its length.
    """

    def __init__(self, offset: int, size: int):
        self.offset = offset
        self.size = size

    def __len__(self) -> int:
        return self.size


class _ArrayUnpickler(pickle._Unpickler):
    """Supports NumPy arrays only, which it describes without calling NumPy, and skips large data.

    It derives from the unpickler that is written in Python. The one in C would read every byte
    string, and allocate as much memory as even a file of a few bytes requests.
    """

    dispatch = dict(pickle._Unpickler.dispatch)

    def __init__(self, file: io.BufferedReader):
        super().__init__(file, encoding="bytes")
        self._file = file
        self._end = os.fstat(file.fileno()).st_size

    def _load_piece(self, form: str) -> None:
        (size,) = struct.unpack(form, self.read(struct.calcsize(form)))
        offset = self._file.tell()
        if not 0 <= size <= self._end - offset:
            raise EOFError
        if size < _LARGE:
            self.append(self.read(size))
        else:
            self._file.seek(size, os.SEEK_CUR)
            self.append(_Piece(offset, size))

    def _load_text(self, form: str) -> None:
        (size,) = struct.unpack(form, self.read(struct.calcsize(form)))
        if size > self._end - self._file.tell():
            raise EOFError
        self.append(str(self.read(size), "utf-8", "surrogatepass"))

    def _load_build(self) -> None:
        state = self.stack.pop()
        if not isinstance(self.stack[-1], _PickledArray | _PickledType):
            raise pickle.UnpicklingError("it sets the state of something other than an array")
        self.stack[-1].__setstate__(state)

    # Frames of protocol 4 only say how much to read at once, which is not needed here.
    dispatch[pickle.FRAME[0]] = lambda self: self.read(8)
    dispatch[pickle.BINSTRING[0]] = lambda self: self._load_piece("<i")
    dispatch[pickle.BINBYTES[0]] = lambda self: self._load_piece("<I")
    dispatch[pickle.BINBYTES8[0]] = lambda self: self._load_piece("<Q")
    dispatch[pickle.BYTEARRAY8[0]] = lambda self: self._load_piece("<Q")
    dispatch[pickle.BINUNICODE[0]] = lambda self: self._load_text("<I")
    dispatch[pickle.BINUNICODE8[0]] = lambda self: self._load_text("<Q")
    dispatch[pickle.BUILD[0]] = _load_build

    def get_extension(self, code: int) -> None:
        raise pickle.UnpicklingError(
            f"it requests extension {code}; only NumPy arrays are supported"
        )

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
                "its bytes are stored as text (pickle protocol below 3); save it with a newer one"
            )
        raise pickle.UnpicklingError(
            f"it requests {module}.{name}; only NumPy arrays are supported"
        )

    def _from_buffer(self, raw, kind, shape, order):
        array = _PickledArray()
        array.__setstate__((1, shape, kind, order != "C", raw))
        return array


class _PickledType:
    """A NumPy dtype as a pickle describes it."""

    def __init__(self, code: Any, align: Any = False, copy: Any = True):
        self.code = _text(code)
        self.order = "|"

    def __setstate__(self, state):
        self.order = _text(state[1])

    @property
    def dtype(self) -> np.dtype:
        if not _NUMBERS.fullmatch(self.code):
            raise pickle.UnpicklingError(
                f"it contains an array of {self.code!r} instead of numbers"
            )
        return np.dtype(self.code).newbyteorder(self.order)

    def numbers(self, raw: bytes) -> np.ndarray:
        return np.frombuffer(raw, self.dtype)


class _PickledArray:
    """An array as a pickle describes it: its bytes, or their position in the file."""

    def __init__(self):
        self.shape = self.kind = self.is_transposed = self.held = self.offset = None

    def __setstate__(self, state):
        _, shape, self.kind, self.is_transposed, raw = state
        self.shape = tuple(int(side) for side in shape)
        if not isinstance(self.kind, _PickledType) or not isinstance(raw, bytes | _Piece):
            raise pickle.UnpicklingError("it contains an array of objects instead of numbers")
        if len(raw) != math.prod(self.shape) * self.kind.dtype.itemsize:
            raise pickle.UnpicklingError("the size of an array does not match that of its bytes")
        self.offset, self.held = (raw.offset, None) if isinstance(raw, _Piece) else (None, raw)


def _found(value: Any, path: str) -> Any:
    if isinstance(value, _Piece):
        return _read(path, value.offset, value.size)
    if not isinstance(value, _PickledArray):
        return value
    if value.shape is None:
        raise pickle.UnpicklingError("it contains an array without its bytes")
    if value.is_transposed and len(value.shape) > 1:
        raise _UnknownFormError(_FORTRAN)
    dtype = value.kind.dtype
    if dtype == np.uint8 and len(value.shape) == 2:
        return StoredRows(path, value.offset, value.shape, value.held)
    raw = value.held
    if raw is None:
        raw = _read(path, value.offset, math.prod(value.shape) * dtype.itemsize)
    return np.frombuffer(raw, dtype).reshape(value.shape)


def _read(path: str, offset: int, size: int) -> bytes:
    with open(path, "rb") as file:
        file.seek(offset)
        return file.read(size)


def _text(name: Any) -> str:
    """Decodes a name; pickles from Python 2 contain names as bytes."""
    if not isinstance(name, bytes | str):
        raise pickle.UnpicklingError(f"a name should be text; received a {type(name).__name__}")
    return name.decode("latin-1") if isinstance(name, bytes) else name


def _reason(error: Exception) -> str:
    """Returns the first line of the error, shortened: it may contain text from the file."""
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
        raise ValueError(f"version {version} of the .npy format is not supported")
    shape, is_transposed, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it contains an array of objects instead of numbers")
    return shape, is_transposed, dtype


def _offset_of(path: str, member: zipfile.ZipInfo) -> int:
    """Returns the offset of the data of an uncompressed member (APPNOTE.TXT, 4.3.7)."""
    with open(path, "rb") as file:
        file.seek(member.header_offset)
        name, extra = struct.unpack("<26xHH", file.read(30))
    return member.header_offset + 30 + name + extra


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str) -> str:
    """Unpacks a compressed member, unless this was done before, and returns the path."""
    if not _NAME.fullmatch(member.filename):
        raise ValueError(f"it contains {member.filename}, which is not a valid array name")
    target = Path(f"{path.removesuffix('.npz')}.{member.filename}")
    # Unpacked files get the modification time of their archive, so that a replaced archive is
    # unpacked again.
    stamp = os.stat(path).st_mtime_ns
    if target.exists() and (target.stat().st_size, target.stat().st_mtime_ns) == (
        member.file_size,
        stamp,
    ):
        return str(target)
    # `disable=None` hides the bar if standard error is not a terminal.
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
            f"{path} is compressed and cannot be unpacked to {target}: {error.strerror}; free disk "
            "space there and make the folder writable, or give the pickled batches"
        ) from error
    return str(target)
