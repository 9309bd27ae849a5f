"""How much a pixel counts by how rare its true color is."""

import numpy as np
from keras import ops
from scipy.ndimage import gaussian_filter

from data.color.ab_bins import BIN_WIDTH, ab1_to_bin

# Of the Gaussian that smooths the distribution, in units of ab: Zhang et al.
_SIGMA = 5.0


class ColorRebalancing:
    """Weights for pixels, so that rare colors are learned too.

    Most of every photograph is nearly gray, and a network whose errors all count the same learns
    that no color is worth the risk. The weight of a pixel is in proportion to
    1 / (strength p + (1 - strength) / Q), where p is the smoothed share of its color among
    all pixels and Q the number of bins of colors that occur (in the paper all 313 that sRGB can
    show); the mean weight of all pixels is 1.

    Args:
        counts: integer array of shape (23, 23), pixels by bin, from
            `data.color.ab_bins.count_bins`.
    strength: float in [0, 1], 1 - lambda in the paper. 0 weighs all pixels the same, 1/2
            is the paper's, 1 lets all colors count the same, however rare.

    Attributes:
        weights: float32 array of shape (23, 23), by bin.

    Raises:
        ValueError: no pixel was counted.

    Example:
        rebalancing = ColorRebalancing(count_bins(images), 0.5)
        rebalancing(true_ab)                                 # (batch, height, width, 1)

    Reference: Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equation 4.
    """

    def __init__(self, counts: np.ndarray, strength: float):
        if not counts.sum():
            raise ValueError("`counts` should hold at least one pixel. Received: none")
        shares = gaussian_filter(counts / counts.sum(), _SIGMA / BIN_WIDTH, mode="constant")
        shares /= shares.sum()
        occurs = counts > 0
        mixed = strength * shares + (1.0 - strength) / occurs.sum()
        # A color that did not occur counts at most as the rarest that did.
        weights = 1.0 / np.maximum(mixed, mixed[occurs].min())
        self.weights = (weights / np.average(weights, weights=counts)).astype("float32")

    def __call__(self, true_ab):
        """Weights of pixels, float32 of shape (..., 1), for ab of networks of shape (..., 2)."""
        return ops.take(self.weights.ravel(), ab1_to_bin(true_ab))[..., None]
