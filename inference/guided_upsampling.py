"""Enlarges color guided by the photograph's own lightness.

A network gives ab at its small size. Enlarged by interpolation alone, colors wash over the borders
of things. Here each place also learns, in the small image, how ab changes with lightness around
it (the slope of a local linear regression), and the detail of lightness that interpolation lost
brings its color along:

    ab(x) = up(ab) + up(slope) * (L(x) - up(L))

Where color does not change with lightness the slope is zero, and what is left is interpolation:
texture of lightness makes no halo of color. The idea is the guided filter's (He, Sun, Tang: Guided
Image Filtering, ECCV 2010; He and Sun: Fast Guided Filter, 2015) with two changes. The mean of the
window is replaced by the interpolated color itself, which keeps color that varies without lightness
sharp; over whole photographs the original form is worse than interpolation. And what is regressed
are the deviations of each pixel from its own surroundings, because in a window of few pixels a
gradient of color and a texture of lightness always seem to belong together. `python -m
benchmarks.guided_upsampling` measures both forms.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from keras import KerasTensor as Tensor

# In pixels of the small image. Wider windows mix the slopes of neighboring things.
_WINDOW_SIGMA = 0.6

# In units of L squared: how much lightness must vary before it is followed. About the noise of a
# photograph that was shrunk.
_EPSILON = 2.0

_RADIUS = 2

# Pixels of a large row or column that are interpolated by one matrix.
_BAND = 64


class GuidedUpsampling:
    """The color of one photograph, on its way to full size in strips.

    Interpolation is cubic, by products with matrices: along rows, and then along columns for the
    few small rows that a strip lies between. What comes out are planes, one for each channel, of
    which XLA makes vectors.

    Args:
        lightness: float32 array of shape (small height, small width, 1), L in [0, 100] of the
            photograph shrunk.
        ab: float32 array of shape (small height, small width, 2), the color of the same.
        height: int, of the photograph.
        width: int.

    Example:
        upsampling = GuidedUpsampling(small_lightness, small_ab, 900, 1200)
        a, b = follow_lightness(lightness[:300], upsampling.strip(0, 300))
    """

    def __init__(self, lightness: np.ndarray, ab: np.ndarray, height: int, width: int):
        self.height = height
        self.width = width
        small = np.concatenate([ab, lightness, slopes(lightness, ab)], axis=-1)
        self._planes = np.ascontiguousarray(np.moveaxis(small, -1, 0))
        self._columns = list(_bands(small.shape[1], width, 0, width))

    def strip(self, top: int, rows: int, out: np.ndarray | None = None) -> np.ndarray:
        """What `follow_lightness` needs for the rows from `top` on.

        Args:
            top: int, the first row.
            rows: int, how many.
            out: the array to write to, or None for a new one.

        Returns:
            float32 array of shape (5, rows, width).
        """
        bands = list(_bands(self._planes.shape[1], self.height, top, rows))
        first = bands[0].used.start
        planes = self._planes[:, first : bands[-1].used.stop]
        wide = np.empty((*planes.shape[:2], self.width), "float32")
        for band in self._columns:
            np.matmul(planes[..., band.used], band.weights.T, out=wide[..., band.made])
        out = np.empty((len(planes), rows, self.width), "float32") if out is None else out
        for band in bands:
            used = slice(band.used.start - first, band.used.stop - first)
            np.matmul(band.weights, wide[:, used], out=out[:, band.made])
        return out


def follow_lightness(lightness: Tensor, enlarged: Tensor) -> tuple[Tensor, Tensor]:
    """Adds the color that belongs to the detail of lightness.

    Args:
        lightness: float32 tensor of any shape, L in [0, 100] at full size.
        enlarged: float32 array or tensor of shape (5, ...), from `GuidedUpsampling.strip`.

    Returns:
        a and b, float32 tensors of the shape of `lightness`.
    """
    a, b, smooth_lightness, slope_of_a, slope_of_b = (enlarged[plane] for plane in range(5))
    detail = lightness - smooth_lightness
    return a + slope_of_a * detail, b + slope_of_b * detail


def cubic_weights(small: int, large: int, first: int, count: int) -> np.ndarray:
    """How much of each pixel of a small row goes into some pixels of a large one.

    The cubic of Keys (Cubic Convolution Interpolation for Digital Image Processing, 1981, a =
    -1/2), as `tf.image.resize` interpolates with antialiasing: where `large` is the smaller one,
    the cubic is widened to average.

    Args:
        small: int, pixels of the small row.
        large: int, pixels of the large one.
        first: int, the first of its pixels that are asked for.
        count: int, how many.

    Returns:
        float32 array of shape (count, small), whose rows sum to 1.
    """
    stretch = max(1.0, small / large)
    centers = (np.arange(first, first + count) + 0.5) * (small / large) - 0.5
    begins = np.ceil(centers - 2.0 * stretch).astype(int)
    places = begins[:, None] + np.arange(math.ceil(4.0 * stretch) + 1)
    shares = _cubic(np.abs(places - centers[:, None]) / stretch)
    rows, taps = np.nonzero((places >= 0) & (places < small))
    weights = np.zeros((count, small), "float32")
    weights[rows, places[rows, taps]] = shares[rows, taps]
    return weights / weights.sum(axis=1, keepdims=True)


def _cubic(distances: np.ndarray) -> np.ndarray:
    near = (1.5 * distances - 2.5) * distances**2 + 1.0
    far = ((-0.5 * distances + 2.5) * distances - 4.0) * distances + 2.0
    return np.where(distances < 1.0, near, np.where(distances < 2.0, far, 0.0))


class _Band(NamedTuple):
    """Some pixels of a large row, and what they are made of.

    Attributes:
        made: slice of the pixels asked for.
        used: slice of the small row.
        weights: float32 array of shape (made, used).
    """

    made: slice
    used: slice
    weights: np.ndarray


def _bands(small: int, large: int, first: int, count: int) -> Iterator[_Band]:
    """The matrix of `cubic_weights` in parts that are not zero: most of it is."""
    for begin in range(0, count, _BAND):
        made = slice(begin, min(begin + _BAND, count))
        weights = cubic_weights(small, large, first + begin, made.stop - made.start)
        used = np.flatnonzero(weights.any(axis=0))
        used = slice(int(used[0]), int(used[-1]) + 1)
        yield _Band(made, used, np.ascontiguousarray(weights[:, used]))


def slopes(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """How much a and b change with L around each pixel.

    Args:
        lightness: float32 array of shape (height, width, 1), L in [0, 100].
        ab: float32 array of shape (height, width, 2).

    Returns:
        float32 array of shape (height, width, 2).
    """
    lightness, ab = lightness - _blur(lightness), ab - _blur(ab)
    covariance, variance = _blur(lightness * ab), _blur(lightness * lightness)
    return _blur(covariance / (variance + _EPSILON))


def _blur(image: np.ndarray) -> np.ndarray:
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / _WINDOW_SIGMA) ** 2)
    weights = (weights / weights.sum()).astype("float32")
    for axis in (0, 1):
        size = image.shape[axis]
        padding = [(_RADIUS, _RADIUS) if side == axis else (0, 0) for side in range(3)]
        padded = np.moveaxis(np.pad(image, padding, mode="edge"), axis, 0)
        blurred = sum(weight * padded[first : first + size] for first, weight in enumerate(weights))
        image = np.moveaxis(blurred, 0, axis)
    return image
