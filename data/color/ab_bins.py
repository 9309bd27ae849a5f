"""Square bins of the ab plane, and the ab histogram of a set of images."""

from collections.abc import Iterable

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import AB_SCALE

# In units of ab; one bin is centered on gray. This is the grid of Zhang et al. 2016, section 2.1.
BIN_WIDTH = 10.0
BINS_PER_SIDE = 23
BINS = BINS_PER_SIDE**2

_GRAY = BINS_PER_SIDE // 2

_AXIS = (np.arange(BINS_PER_SIDE, dtype="float32") - _GRAY) * BIN_WIDTH / AB_SCALE

# Of each bin, in the order of `ab1_to_bin`: float32 of shape (529, 2), ab scaled for networks.
BIN_CENTERS = np.stack(np.meshgrid(_AXIS, _AXIS, indexing="ij"), axis=-1).reshape(-1, 2)


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


def ab1_to_palette(ab1: Tensor) -> Tensor:
    """Returns the palette of each image: the share of its pixels in each bin.

    Args:
        ab1: tensor of shape (batch, height, width, 2), scaled for networks (ab/110).

    Returns:
        float32 tensor of shape (batch, 529).
    """
    bins = ab1_to_bin(ab1)
    batch, height, width = ops.shape(bins)
    counts = ops.bincount(ops.reshape(bins, (batch, height * width)), minlength=BINS)
    return ops.cast(counts, "float32") / ops.cast(height * width, "float32")


def count_bins(images: Iterable[Tensor]) -> np.ndarray:
    """Computes the ab histogram: the number of pixels of all images in each bin.

    Args:
        images: iterable of tensors of shape (..., 2), ab scaled for networks (ab/110).

    Returns:
        int64 array of shape (23, 23). Rows are bins of a, columns are bins of b.

    Example:
        count_bins([true_ab]).sum()                     # the number of pixels, 2 * 32 * 32
    """
    counts = np.zeros(BINS, "int64")
    for ab1 in images:
        bins = ops.convert_to_numpy(ab1_to_bin(ab1)).ravel()
        counts += np.bincount(bins, minlength=BINS)
    return counts.reshape(BINS_PER_SIDE, BINS_PER_SIDE)
