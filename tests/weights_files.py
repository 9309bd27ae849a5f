"""The contents of files of weights."""

import os

import h5py
import numpy as np

from models.checkpoints.folder import WeightsFolder


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
