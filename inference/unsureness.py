"""How unsure a network is of the colors that it predicts."""

import functools

import numpy as np

# As a share of the side of the image.
_DEVIATION = 0.06

# In units of ab: colors that are spread as much around their surroundings are half unsure.
_HALF = 15.0


def unsureness(ab: np.ndarray) -> np.ndarray:
    """How unsure a network seems of its colors, by how much they differ from those around them.

    Where a network knows a thing, it gives one color to the whole of it; where it hesitates, its
    colors change from place to place. The measure is the root mean square s of the distance of
    colors from the mean color around them, as s^2 / (s^2 + 15^2).

    With the default weights this tells wrong strong colors from right ones better than
    what the network says of the mirrored image, or of the same image at 3/4 or 4/3 of its size, and
    it takes no run of the network.

    Args:
        ab: float array of shape (height, width, 2), a and b of CIE Lab that a network predicted.

    Returns:
        float32 array of shape (height, width, 1), from 0 (sure) to 1.

    Example:
        unsureness(np.full((48, 48, 2), 60.0, "float32")).max()     # 0.0, up to rounding
    """
    planes = np.moveaxis(np.asarray(ab, "float32"), -1, 0)
    squares = ((planes - _mean_around(planes)) ** 2).sum(axis=0)
    spread = _mean_around(squares)[..., None]
    return spread / (spread + np.float32(_HALF**2))


def _mean_around(planes: np.ndarray) -> np.ndarray:
    """Gaussian means of planes of shape (..., height, width)."""
    height, width = planes.shape[-2:]
    return _weights(height) @ planes @ _weights(width).T


@functools.cache
def _weights(side: int) -> np.ndarray:
    """The weights of the means along one axis, float32 of shape (side, side)."""
    places = np.arange(side) / (side * _DEVIATION)
    weights = np.exp(-((places[:, None] - places) ** 2) / 2.0)
    return (weights / weights.sum(axis=1, keepdims=True)).astype("float32")
