"""The plane of a and b in square bins, and how many pixels lie in each."""

from collections.abc import Iterable

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import AB_SCALE

# Width in units of ab, with a bin around gray: the grid of Zhang et al. 2016, section 2.1.
BIN_WIDTH = 10.0
BINS_PER_SIDE = 23

_GRAY = BINS_PER_SIDE // 2


def ab1_to_bin(ab1: Tensor) -> Tensor:
    """The numbers of the bins in which colors lie.

    Args:
        ab1: tensor of shape (..., 2), in the range of networks.

    Returns:
        int32 tensor of shape (...): 23 times the row, of a, plus the column, of b. What lies
        outside [-115, 115] belongs to the bins at the border.
    """
    places = ops.round(ops.cast(ab1, "float32") * (AB_SCALE / BIN_WIDTH)) + _GRAY
    places = ops.cast(ops.clip(places, 0, BINS_PER_SIDE - 1), "int32")
    return places[..., 0] * BINS_PER_SIDE + places[..., 1]


def count_bins(images: Iterable[Tensor]) -> np.ndarray:
    """How many pixels of all images lie in each bin.

    Args:
        images: tensors of shape (..., 2), ab in the range of networks.

    Returns:
        int64 array of shape (23, 23): rows of a, columns of b.
    """
    counts = np.zeros(BINS_PER_SIDE**2, "int64")
    for ab1 in images:
        bins = ops.convert_to_numpy(ab1_to_bin(ab1)).ravel()
        counts += np.bincount(bins, minlength=BINS_PER_SIDE**2)
    return counts.reshape(BINS_PER_SIDE, BINS_PER_SIDE)
