"""Upsamples ab, guided by the lightness of the photograph.

A network predicts ab at its own small size. With interpolation alone, colors bleed across the
edges of objects. Here, a local linear regression at the small size also estimates how ab changes
with lightness around each pixel (the slope), and the lightness detail that interpolation loses
adds the color that belongs to it:

    ab(x) = up(ab) + up(slope) * (L(x) - up(L))

Where color does not change with lightness, the slope is zero and the result is that of
interpolation, so texture in the lightness causes no color halos. The idea is that of the guided
filter (He, Sun, Tang: Guided Image Filtering, ECCV 2010; He and Sun: Fast Guided Filter, 2015),
with two changes. The mean of the window is replaced by the interpolated color itself, which keeps
color sharp where it varies without the lightness; over whole photographs the original form is worse
than interpolation. And the regression is on the deviations of each pixel from its surroundings,
because in a window of a few pixels a color gradient and a lightness texture always seem
correlated. `python -m benchmarks.guided_upsampling` measures both forms.
"""

import math
from collections.abc import Iterator

import numpy as np
from keras import KerasTensor as Tensor

# In pixels of the small image. Wider windows mix the slopes of neighboring objects.
_WINDOW_SIGMA = 0.6

# In units of L squared: the variance above which lightness is followed. About the noise of a
# shrunk photograph.
_EPSILON = 2.0

_RADIUS = 2

# Output pixels of a row or column that are interpolated by one matrix.
_BAND = 64


class GuidedUpsampling:
    """Upsamples the ab of one photograph to full size, in strips.

    The interpolation is cubic and is computed as matrix products: along the rows, then along the
    columns, of only the few small rows that a strip needs. The output has one plane for each
    channel, which XLA can vectorize.

    Args:
        lightness: float32 array of shape (n * small height, n * small width, 1), L in [0, 100] of
            the shrunk photograph, which is averaged over squares of n x n pixels.
        ab: float32 array of shape (small height, small width, 2), its ab.
        height: int, height of the photograph.
        width: int, width of the photograph.
        columns: slice or None, the columns of the photograph that strips have. Defaults to `None`,
            all.

    Example:
        small_lightness = np.full((24, 32, 1), 50.0, "float32")
        small_ab = np.zeros((24, 32, 2), "float32")
        upsampling = GuidedUpsampling(small_lightness, small_ab, height=96, width=128)
        lightness = np.full((48, 128), 50.0, "float32")     # the upper half at full size
        a, b = follow_lightness(lightness, upsampling.strip(0, 48))
    """

    def __init__(
        self,
        lightness: np.ndarray,
        ab: np.ndarray,
        height: int,
        width: int,
        columns: slice | None = None,
    ):
        left, end, _ = (columns or slice(None)).indices(width)
        self.height = height
        self.width = end - left
        lightness = _mean_of_squares(lightness, *ab.shape[:2])
        small = np.concatenate([ab, lightness, slopes(lightness, ab)], axis=-1)
        self._planes = np.ascontiguousarray(np.moveaxis(small, -1, 0))
        self._columns = list(_bands(small.shape[1], width, left, self.width))

    def strip(self, top: int, rows: int, out: np.ndarray | None = None) -> np.ndarray:
        """Interpolates the planes that `follow_lightness` needs.

        Args:
            top: int, the first row of the strip.
            rows: int, the number of rows.
            out: float32 array of shape (5, rows, width) to write to, or None to allocate one.
                Defaults to `None`.

        Returns:
            float32 array of shape (5, rows, width): a, b, L, and the slopes of a and b.
        """
        bands = list(_bands(self._planes.shape[1], self.height, top, rows))
        first, end = bands[0][1].start, bands[-1][1].stop
        planes = self._planes[:, first:end]
        wide = np.empty((*planes.shape[:2], self.width), "float32")
        for made, used, weights in self._columns:
            np.matmul(planes[..., used], weights.T, out=wide[..., made])
        out = np.empty((len(planes), rows, self.width), "float32") if out is None else out
        for made, used, weights in bands:
            rows_used = slice(used.start - first, used.stop - first)
            np.matmul(weights, wide[:, rows_used], out=out[:, made])
        return out


def follow_lightness(lightness: Tensor, upsampled: Tensor) -> tuple[Tensor, Tensor]:
    """Adds the color that belongs to the lightness detail.

    Args:
        lightness: float32 tensor of any shape, L in [0, 100] at full size.
        upsampled: float32 array or tensor of shape (5, ...), from `GuidedUpsampling.strip`.

    Returns:
        a and b, float32 tensors of the same shape as `lightness`.
    """
    a, b, smooth_lightness, slope_of_a, slope_of_b = (upsampled[plane] for plane in range(5))
    detail = lightness - smooth_lightness
    return a + slope_of_a * detail, b + slope_of_b * detail


def cubic_weights(small: int, large: int, first: int, count: int) -> np.ndarray:
    """The weights that resize a row of pixels by cubic interpolation.

    The kernel is that of Keys (Cubic Convolution Interpolation for Digital Image Processing, 1981,
    a = -1/2), as in `tf.image.resize` with antialiasing: if `large` is less than `small`, the
    kernel is widened, so that it averages.

    Args:
        small: int, the number of input pixels.
        large: int, the number of output pixels.
        first: int, the first output pixel to compute weights for.
        count: int, the number of output pixels to compute weights for.

    Returns:
        float32 array of shape (count, small), whose rows sum to 1.
    """
    stretch = max(1.0, small / large)
    centers = (np.arange(first, first + count) + 0.5) * (small / large) - 0.5
    starts = np.ceil(centers - 2.0 * stretch).astype(int)
    positions = starts[:, None] + np.arange(math.ceil(4.0 * stretch) + 1)
    kernel = _cubic(np.abs(positions - centers[:, None]) / stretch)
    rows, taps = np.nonzero((positions >= 0) & (positions < small))
    weights = np.zeros((count, small), "float32")
    weights[rows, positions[rows, taps]] = kernel[rows, taps]
    return weights / weights.sum(axis=1, keepdims=True)


def _cubic(distances: np.ndarray) -> np.ndarray:
    near = (1.5 * distances - 2.5) * distances**2 + 1.0
    far = ((-0.5 * distances + 2.5) * distances - 4.0) * distances + 2.0
    return np.where(distances < 1.0, near, np.where(distances < 2.0, far, 0.0))


def _bands(
    small: int, large: int, first: int, count: int
) -> Iterator[tuple[slice, slice, np.ndarray]]:
    """The matrix of `cubic_weights` in blocks without its zeros, which are most of it.

    Yields:
        Tuples of the slices of the output pixels and of the input pixels, and the float32 weights
        of shape (output pixels, input pixels).
    """
    for start in range(0, count, _BAND):
        made = slice(start, min(start + _BAND, count))
        weights = cubic_weights(small, large, first + start, made.stop - made.start)
        columns = np.flatnonzero(weights.any(axis=0))
        used = slice(int(columns[0]), int(columns[-1]) + 1)
        yield made, used, np.ascontiguousarray(weights[:, used])


def slopes(lightness: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """The slopes of a and b over L around each pixel.

    Args:
        lightness: float32 array of shape (height, width, 1), L in [0, 100].
        ab: float32 array of shape (height, width, 2).

    Returns:
        float32 array of shape (height, width, 2).
    """
    lightness, ab = lightness - _blur(lightness), ab - _blur(ab)
    covariance, variance = _blur(lightness * ab), _blur(lightness * lightness)
    return _blur(covariance / (variance + _EPSILON))


def _mean_of_squares(image: np.ndarray, height: int, width: int) -> np.ndarray:
    side = image.shape[0] // height
    return image.reshape(height, side, width, side, -1).mean(axis=(1, 3))


def _blur(image: np.ndarray) -> np.ndarray:
    # By hand: importing `scipy.ndimage` takes 0.1 s, for one photograph more than all the rest.
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
