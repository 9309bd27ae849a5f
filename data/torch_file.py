"""Reads the weights in a PyTorch file, without PyTorch.

    arrays = read_state_dict("alex.pth")
    arrays["lin0.model.1.weight"]           # (1, 64, 1, 1) float32

The official weights of LPIPS are such files. They are pickles: only dictionaries and tensors are
unpickled, and a file that refers to anything else is refused.
"""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from typing import Any, BinaryIO

import numpy as np

# The magic number of the format before PyTorch 1.6.
_MAGIC = 0x1950A86A20F9469CFC6C

_TYPES = {"FloatStorage": "<f4", "DoubleStorage": "<f8", "HalfStorage": "<f2", "LongStorage": "<i8"}


def read_state_dict(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Reads the tensors of a PyTorch file.

    Args:
        path: the file, in the format before or since PyTorch 1.6.

    Returns:
        Dict of arrays by the names of the tensors.

    Raises:
        ValueError: the file is not a PyTorch file of tensors, or it is damaged.
        OSError: the file cannot be read.
    """
    try:
        tensors = _read_archive(path) if zipfile.is_zipfile(path) else _read_legacy(path)
        return {str(name): tensor.array() for name, tensor in tensors.items()}
    except OSError:
        raise
    # A damaged pickle can raise any exception.
    except Exception as error:
        raise ValueError(f"not a file of PyTorch weights: {error}") from error


class _Storage:
    """The numbers of which tensors are views; in the older format they follow the tensors."""

    def __init__(self, kind: str):
        self.dtype = np.dtype(_TYPES[kind])
        self.numbers = np.empty(0, self.dtype)


class _Tensor:
    """A view of a storage, as described in a pickle."""

    def __init__(self, storage: _Storage, offset: int, shape: tuple, strides: tuple, *_: Any):
        self.storage, self.offset, self.shape, self.strides = storage, offset, shape, strides

    def array(self) -> np.ndarray:
        numbers = self.storage.numbers[self.offset :]
        steps = zip(self.shape, self.strides, strict=True)
        last = sum((side - 1) * stride for side, stride in steps)
        if 0 not in self.shape and (last >= len(numbers) or min(self.strides, default=0) < 0):
            raise ValueError("a tensor is larger than its storage")
        strides = [stride * numbers.itemsize for stride in self.strides]
        return np.lib.stride_tricks.as_strided(numbers, self.shape, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Unpickles dictionaries and tensors and refuses everything else."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]):
        super().__init__(file, encoding="latin-1")
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known = {
            "collections.OrderedDict": OrderedDict,
            # Not the class itself, whose attributes a pickle could change.
            "torch._utils._rebuild_tensor_v2": lambda *view: _Tensor(*view),
            "torch._utils._rebuild_parameter": lambda tensor, *_: tensor,
            **{f"torch.{kind}": kind for kind in _TYPES},
        }
        if f"{module}.{name}" not in known:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}; only tensors are read")
        return known[f"{module}.{name}"]

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
            raise ValueError("it does not start with the magic number")
        # The version of the format, and a description of the machine that wrote the file.
        for _ in range(2):
            _Unpickler(file, storages).load()
        tensors = _Unpickler(file, storages).load()
        for key in _Unpickler(file, storages).load():
            storage = storages[str(key)]
            (count,) = struct.unpack("<q", file.read(8))
            size = count * storage.dtype.itemsize
            storage.numbers = np.frombuffer(file.read(size), storage.dtype, count)
    return tensors
