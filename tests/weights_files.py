"""The contents of files of weights and of checkpoints."""

import os

import h5py
import numpy as np

from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress


def arrays_in(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of a weights file by their path in it."""
    arrays = {}

    def collect(name, item):
        if isinstance(item, h5py.Dataset):
            arrays[name] = item[()]

    with h5py.File(path) as file:
        file.visititems(collect)
    return arrays


def checkpoint_arrays(folder: str | os.PathLike) -> dict[str, np.ndarray]:
    """The arrays of the last checkpoint of a training."""
    return arrays_in(WeightsFolder(folder).checkpoints.last() / "model.weights.h5")


def progress(folder: str | os.PathLike) -> Progress:
    """The progress of a training up to its last checkpoint."""
    store = WeightsFolder(folder).checkpoints
    return store.read_progress(store.last())
