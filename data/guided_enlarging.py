"""Enlarges color guided by the photograph's own lightness.

A network gives ab at its small size. Enlarged by interpolation alone, colors wash over the borders
of things. Here each place also learns, in the small picture, how ab changes with lightness around
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
benchmarks.enlarging` measures both forms.
"""

import numpy as np
import tensorflow as tf
from keras import KerasTensor as Tensor

# In pixels of the small picture. Wider windows mix the slopes of neighboring things.
_WINDOW_SIGMA = 0.6

# In units of L squared: how much lightness must vary before it is followed. About the noise of a
# photograph that was shrunk.
_EPSILON = 2.0

_RADIUS = 2
_KERNEL = "keyscubic"


class GuidedEnlarging:
    """The color of one photograph, on its way to full size in strips.

    Args:
        lightness: float32 array of shape (small height, small width, 1), L in [0, 100] of the
            photograph shrunk.
        ab: float32 array of shape (small height, small width, 2), the color of the same.
        height: int, of the photograph.
        width: int.

    Example:
        enlarging = GuidedEnlarging(small_lightness, small_ab, 900, 1200)
        ab = follow_lightness(lightness[:300], enlarging.strip(0, 300))
    """

    def __init__(self, lightness: np.ndarray, ab: np.ndarray, height: int, width: int):
        self.height = height
        self.width = width
        self._small = np.concatenate([ab, lightness, slopes(lightness, ab)], axis=-1)[None]

    def strip(self, top: int, rows: int) -> Tensor:
        """What `follow_lightness` needs for the rows from `top` on.

        Returns:
            float32 tensor of shape (rows, width, 5).
        """
        small_height, small_width = self._small.shape[1:3]
        scale = [self.height / small_height, self.width / small_width]
        enlarged = tf.raw_ops.ScaleAndTranslate(
            images=self._small,
            size=[rows, self.width],
            scale=scale,
            translation=[-float(top), 0.0],
            kernel_type=_KERNEL,
            # Only for photographs that are smaller than what the network sees.
            antialias=min(scale) < 1.0,
        )
        return enlarged[0]


def follow_lightness(lightness: Tensor, enlarged: Tensor) -> Tensor:
    """Adds the color that belongs to the detail of lightness.

    Args:
        lightness: float32 tensor of shape (..., 1), L in [0, 100] at full size.
        enlarged: float32 tensor of shape (..., 5), from `GuidedEnlarging.strip`.

    Returns:
        float32 tensor of shape (..., 2): ab.
    """
    ab, smooth_lightness, slope = enlarged[..., :2], enlarged[..., 2:3], enlarged[..., 3:]
    return ab + slope * (lightness - smooth_lightness)


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


def _blur(picture: np.ndarray) -> np.ndarray:
    offsets = np.arange(-_RADIUS, _RADIUS + 1)
    weights = np.exp(-0.5 * (offsets / _WINDOW_SIGMA) ** 2)
    weights = (weights / weights.sum()).astype("float32")
    for axis in (0, 1):
        size = picture.shape[axis]
        padding = [(_RADIUS, _RADIUS) if side == axis else (0, 0) for side in range(3)]
        padded = np.pad(picture, padding, mode="edge")
        picture = sum(
            weight * padded.take(range(first, first + size), axis)
            for first, weight in enumerate(weights)
        )
    return picture
