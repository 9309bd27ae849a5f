"""Weights of pixels by the rarity of their true colors."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops
from scipy.ndimage import gaussian_filter

from data.color.ab_bins import BIN_WIDTH, ab1_to_bin

# Standard deviation of the Gaussian that smooths the distribution, in units of ab (Zhang et al.).
_SIGMA = 5.0


@keras.saving.register_keras_serializable("colorizer")
class ColorRebalancing:
    """Weights pixels of rare colors more.

    Most pixels of photographs are nearly gray, and a network that is trained with the same weight
    for all pixels avoids rare colors. Here the weight of a pixel is proportional to
    1 / (strength * p + (1 - strength) / Q), where p is the smoothed share of its color among all
    pixels and Q is the number of color bins that occur (in the paper, all 313 bins of the sRGB
    gamut). The mean weight of all pixels is 1.

    Args:
        counts: array or nested lists of integers of shape (23, 23), the ab histogram from
            `data.color.ab_bins.count_bins`.
        strength: float in [0, 1], 1 - lambda in the paper. 0 weights all pixels the same, 0.5 is
            the paper's value, and 1 weights all colors the same, however rare they are.

    Attributes:
        weights: float32 array of shape (23, 23), the weight of each bin.

    Raises:
        ValueError: the histogram is empty.

    Example:
        from data.color.ab_bins import count_bins

        rebalancing = ColorRebalancing(count_bins([true_ab]), strength=0.5)
        rebalancing(true_ab)                                 # (batch, height, width, 1)

    Reference: Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, equation 4.
    """

    def __init__(self, counts: np.ndarray | list[list[int]], strength: float):
        counts = np.asarray(counts)
        if not counts.sum():
            raise ValueError("`counts` should hold at least one pixel. Received: none")
        self._config = {"counts": counts.tolist(), "strength": strength}
        shares = gaussian_filter(counts / counts.sum(), _SIGMA / BIN_WIDTH, mode="constant")
        shares /= shares.sum()
        occurs = counts > 0
        mixed = strength * shares + (1.0 - strength) / occurs.sum()
        # The weight of a color that does not occur is capped at that of the rarest one that does.
        weights = 1.0 / np.maximum(mixed, mixed[occurs].min())
        self.weights = (weights / np.average(weights, weights=counts)).astype("float32")

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return self._config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ColorRebalancing":
        return cls(**config)

    def __call__(self, true_ab: Tensor) -> Tensor:
        """Returns the weights of pixels.

        Args:
            true_ab: tensor of shape (..., 2), ab in the range of the networks.

        Returns:
            float32 tensor of shape (..., 1).
        """
        return ops.take(self.weights.ravel(), ab1_to_bin(true_ab))[..., None]
