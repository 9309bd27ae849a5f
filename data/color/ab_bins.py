"""Square bins of the ab plane, and the ab histogram of a set of images."""

from collections.abc import Iterable

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import AB_SCALE

# In units of ab; one bin is centered on gray. This is the grid of Zhang et al. 2016, section 2.1.
BIN_WIDTH = 10.0
BINS_PER_SIDE = 23

_GRAY = BINS_PER_SIDE // 2


def ab1_to_bin(ab1: Tensor) -> Tensor:
    """Returns the index of the bin that each color falls into.

    Args:
        ab1: tensor of shape (..., 2), scaled for networks (ab/110).

    Returns:
        int32 tensor of shape (...): 23 * row + column, where rows are bins of a and columns are
        bins of b. Values of ab outside [-115, 115] are assigned to the border bins.
    """
    bins = ops.round(ops.cast(ab1, "float32") * (AB_SCALE / BIN_WIDTH)) + _GRAY
    bins = ops.cast(ops.clip(bins, 0, BINS_PER_SIDE - 1), "int32")
    return bins[..., 0] * BINS_PER_SIDE + bins[..., 1]


def count_bins(images: Iterable[Tensor]) -> np.ndarray:
    """Computes the ab histogram: the number of pixels of all images in each bin.

    Args:
        images: iterable of tensors of shape (..., 2), ab scaled for networks (ab/110).

    Returns:
        int64 array of shape (23, 23). Rows are bins of a, columns are bins of b.

    Example:
        count_bins([true_ab]).sum()                     # the number of pixels, 2 * 32 * 32
    """
    counts = np.zeros(BINS_PER_SIDE**2, "int64")
    for ab1 in images:
        bins = ops.convert_to_numpy(ab1_to_bin(ab1)).ravel()
        counts += np.bincount(bins, minlength=BINS_PER_SIDE**2)
    return counts.reshape(BINS_PER_SIDE, BINS_PER_SIDE)
