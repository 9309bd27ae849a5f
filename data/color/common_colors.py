"""The commonest colors of a set of images at each lightness."""

from collections.abc import Iterable, Sequence

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.color.ab_bins import BINS_PER_SIDE, ab1_to_bin
from data.color.lab import AB_SCALE

# The a and b of colors for each band of lightness from black to white, the commonest first.
CommonColors = Sequence[Sequence[Sequence[float]]]

# Bands of lightness, each of 10 units of L.
BANDS = 10

# In units of ab: colors that are nearer to a commoner one are left out, so that not all are the
# shades of gray and brown that most pixels have.
_APART = 15.0
_MOST = 12
# Of the pixels of a band. Rarer colors are those of a few images.
_LEAST_SHARE = 1e-4

_BINS = BINS_PER_SIDE**2


def find_common_colors(images: Iterable[Tensor]) -> list[list[list[float]]]:
    """Finds the commonest colors at each lightness, as a histogram of square bins counts them.

    Args:
        images: iterable of tensors of shape (..., 3), CIE Lab.

    Returns:
        For each of the 10 bands of lightness a list of at most 12 colors, the commonest first: the
        mean a and b of the pixels in a bin, rounded to tenths.

    Example:
        red, blue = np.full((9, 3), (50.0, 40.0, 30.0)), np.full((4, 3), (50.0, 0.0, -40.0))
        find_common_colors([red, blue])[5]              # [[40.0, 30.0], [0.0, -40.0]]
    """
    counts = np.zeros(BANDS * _BINS, "int64")
    sums = np.zeros((2, BANDS * _BINS))
    for lab100 in images:
        pixels = np.asarray(ops.convert_to_numpy(lab100), "float64").reshape(-1, 3)
        bins = band_of(pixels[:, 0]) * _BINS + np.asarray(ab1_to_bin(pixels[:, 1:] / AB_SCALE))
        counts += np.bincount(bins, minlength=len(counts))
        for channel in (0, 1):
            sums[channel] += np.bincount(bins, pixels[:, 1 + channel], len(counts))
    means = (sums / np.maximum(counts, 1)).T.reshape(BANDS, _BINS, 2)
    return [_commonest(*band) for band in zip(counts.reshape(BANDS, _BINS), means, strict=True)]


def band_of(lightness: np.ndarray | float) -> np.ndarray:
    """The band of each L in [0, 100]."""
    return np.clip(np.asarray(lightness) * (BANDS / 100.0), 0, BANDS - 1).astype(int)


def _commonest(counts: np.ndarray, means: np.ndarray) -> list[list[float]]:
    chosen: list[np.ndarray] = []
    for number in np.argsort(-counts, kind="stable"):
        if counts[number] < max(1.0, _LEAST_SHARE * counts.sum()) or len(chosen) == _MOST:
            break
        if all(np.hypot(*(means[number] - other)) >= _APART for other in chosen):
            chosen.append(means[number])
    return [[round(float(value), 1) for value in color] for color in chosen]
