"""Reads the weights in a file of PyTorch, without PyTorch.

    arrays = read_state_dict("alex.pth")
    arrays["lin0.model.1.weight"]           # (1, 64, 1, 1) float32

The official weights of LPIPS are such files. They are pickles: here only dictionaries and tensors
are understood, and a file that asks for anything else is refused.
"""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from typing import Any

import numpy as np

# The first thing in a file of the format before PyTorch 1.6.
_MAGIC = 0x1950A86A20F9469CFC6C

_TYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8"}


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The tensors of a file by name.

    Raises:
        ValueError: it is no such file, or is damaged.
        OSError: it cannot be read.
    """
    try:
        tensors = _read_archive(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        return {str(name): tensor.array() for name, tensor in tensors.items()}
    except OSError:
        raise
    # A damaged pickle raises whatever it happens to call for.
    except Exception as error:
        raise ValueError(f"no weights of PyTorch: {error}") from error


class _Storage:
    """Numbers that tensors are views of; in the older format they come after the tensors."""

    def __init__(self, kind: str):
        self.dtype = np.dtype(_TYPES[kind])
        self.numbers: np.ndarray | None = None


class _Tensor:
    """A view of a storage, as a pickle describes it."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> np.ndarray:
        numbers = self.storage.numbers[self.offset :]
        steps = zip(self.shape, self.strides, strict=True)
        last = sum((side - 1) * stride for side, stride in steps)
        if 0 not in self.shape and (last >= len(numbers) or min(self.strides, default=0) < 0):
            raise ValueError("a tensor is larger than its numbers")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers, self.shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Knows dictionaries and tensors, and nothing else."""

    def __init__(self, file: io.IOBase, storages: dict[str, _Storage]):
        super().__init__(file, encoding="latin-1")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, strides, *_: _Tensor(
                storage, offset, shape, strides
            )
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_: tensor
        if module == "torch" and name in _TYPES:
            return name
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, and not for tensors only")

    def persistent_load(self, pid: Any) -> _Storage:
        _, kind, key, *_ = pid
        return self._storages.setdefault(str(key), _Storage(kind))


def _read_archive(path: str | os.PathLike) -> dict[str, _Tensor]:
    storages: dict[str, _Storage] = {}
    with zipfile.ZipFile(path) as archive:
        [listing] = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = listing.removesuffix("data.pkl")
        tensors = _Unpickler(io.BytesIO(archive.read(listing)), storages).load()
        for key, storage in storages.items():
            storage.numbers = np.frombuffer(archive.read(f"{folder}data/{key}"), storage.dtype)
    return tensors


def _read_legacy(path: str | os.PathLike) -> dict[str, _Tensor]:
    storages: dict[str, _Storage] = {}
    with open(path, "rb") as file:
        if _Unpickler(file, storages).load() != _MAGIC:
            raise ValueError("it does not begin like one")
        # The version of the format, and the machine that wrote it.
        for _ in range(2):
            _Unpickler(file, storages).load()
        tensors = _Unpickler(file, storages).load()
        for key in _Unpickler(file, storages).load():
            storage = storages[str(key)]
            (count,) = struct.unpack("<q", file.read(8))
            size = count * storage.dtype.itemsize
            storage.numbers = np.frombuffer(file.read(size), storage.dtype, count)
    return tensors
