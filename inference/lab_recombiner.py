"""Recombines the lightness of full-size photographs with the ab of a network, in strips."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import ops

from data.color.color_curves import linear_to_rgb1
from data.color.gamut import is_linear_in_gamut, share_in_gamut
from data.color.lab import rgb1_to_integers
from data.color.lab_planes import integers_to_lightness100, lab100_to_linear
from data.photos.page import PIXELS_IN_A_STRIP, PhotoPage
from inference.guided_upsampling import GuidedUpsampling, follow_lightness

# Pixels that are recombined at a time: those of a strip. The size is fixed, so that XLA compiles
# the long chain of small operations into few loops only once.
_CHUNK = PIXELS_IN_A_STRIP
# The same for pixels outside the sRGB gamut, which are few.
_CHUNK_OUTSIDE = 2**14

_PLANES = 5

# In bytes, of TensorFlow's tensors: its kernels crash at other addresses.
_ALIGNMENT = 64


def prepare_recombination(channels: int, dtype: str) -> None:
    """Compiles what recombines one kind of strips in advance, once for photographs of all sizes.

    Args:
        channels: int, 1 or 3.
        dtype: str, `uint8` or `uint16`.
    """
    rgb, upsampled = tf.zeros((_CHUNK, channels), dtype), tf.zeros((_PLANES, _CHUNK))
    _recombine(rgb, upsampled)
    _recombine_out_of_gamut(rgb, upsampled, tf.zeros(_CHUNK_OUTSIDE, "int32"))


def recombined_strips(
    page: PhotoPage, lightness: np.ndarray, ab: np.ndarray
) -> Iterator[np.ndarray]:
    """Colors a page at full size.

    Args:
        page: `PhotoPage`.
        lightness: as in `GuidedUpsampling`, of the shrunk page, or of the whole that the page
            is a part of.
        ab: as in `GuidedUpsampling`.

    Yields:
        Strips from top to bottom, arrays of shape (rows, width, 3), or (rows, width, 4) with
        alpha, in the type (uint8 or uint16) and the profile of the page.

    Example:
        from data.photos.file import PhotoFile

        page = PhotoFile("gray.jpg").pages[0]
        small_lightness = np.full((24, 32, 1), 50.0, "float32")
        small_ab = np.full((24, 32, 2), 10.0, "float32")
        strips = recombined_strips(page, small_lightness, small_ab)
        rgb255 = np.concatenate(list(strips))
    """
    whole = page.whole
    columns = slice(whole.left, whole.left + page.width)
    upsampling = GuidedUpsampling(lightness, ab, whole.height, whole.width, columns)
    top, planes = whole.top, None
    for rgb, alpha in page.strips():
        # The first strip is the largest.
        planes = allocate_planes(rgb) if planes is None else planes
        colored = page.from_srgb(recombine(rgb, upsample(upsampling, top, rgb, planes)))
        yield colored if alpha is None else np.concatenate([colored, alpha], axis=-1)
        top += len(rgb)


def recombine(rgb: np.ndarray, upsampled: np.ndarray) -> np.ndarray:
    """Recombines the lightness of a strip with upsampled ab.

    Args:
        rgb: uint8 or uint16 array of shape (rows, width, 1 or 3), sRGB.
        upsampled: float32 array, as returned by `upsample`.

    Returns:
        Array of the same type and of shape (rows, width, 3), with the lightness of `rgb`.
    """
    rows, width, channels = rgb.shape
    rgb = rgb.reshape(-1, channels)
    colored = np.empty((len(rgb), 3), rgb.dtype)
    for first in range(0, len(rgb), _CHUNK):
        chunk = slice(first, first + _CHUNK)
        _fill(colored[chunk], rgb[chunk], upsampled[:, chunk])
    return colored.reshape(rows, width, 3)


def _fill(colored: np.ndarray, rgb: np.ndarray, upsampled: np.ndarray) -> None:
    padded, upsampled = tf.constant(_padded(rgb, _CHUNK)), _without_copy(upsampled)
    *channels, is_inside = _recombine(padded, upsampled)
    for number, channel in enumerate(channels):
        colored[:, number] = channel.numpy()[: len(rgb)]
    # Only a few percent of the pixels: bisecting for the gamut boundary at all of them would
    # be a waste.
    outside = np.flatnonzero(~is_inside.numpy()[: len(rgb)])
    for first in range(0, len(outside), _CHUNK_OUTSIDE):
        indices = outside[first : first + _CHUNK_OUTSIDE]
        pulled = _recombine_out_of_gamut(
            padded, upsampled, _padded(indices.astype("int32"), _CHUNK_OUTSIDE)
        )
        colored[indices] = np.stack(pulled, axis=-1)[: len(indices)]


def allocate_planes(rgb: np.ndarray) -> np.ndarray:
    """A buffer for the upsampled planes of this strip or of smaller ones, in whole chunks."""
    chunks = -(-rgb.shape[0] * rgb.shape[1] // _CHUNK)
    size = _PLANES * chunks * _CHUNK
    buffer = np.zeros(size + _ALIGNMENT, "float32")
    first = -buffer.ctypes.data % _ALIGNMENT // buffer.itemsize
    return buffer[first : first + size].reshape(_PLANES, -1)


def upsample(
    upsampling: GuidedUpsampling, top: int, rgb: np.ndarray, planes: np.ndarray
) -> np.ndarray:
    """Fills `planes`, from `allocate_planes`, for the strip `rgb` that begins at row `top`."""
    rows, width, _ = rgb.shape
    upsampling.strip(top, rows, planes[:, : rows * width].reshape(_PLANES, rows, width))
    return planes


# AutoGraph has nothing to convert here, but takes a second to find that out.
@tf.function(autograph=False, jit_compile=True)
def _recombine(rgb: Tensor, upsampled: Tensor) -> tuple[Tensor, ...]:
    """Red, green and blue of pixels, and whether they are inside the sRGB gamut."""
    linear = lab100_to_linear(*_recombined_lab(rgb, upsampled))
    return *_as_integers(linear, rgb.dtype), is_linear_in_gamut(linear)


@tf.function(autograph=False, jit_compile=True)
def _recombine_out_of_gamut(rgb: Tensor, upsampled: Tensor, indices: Tensor) -> list[Tensor]:
    """Red, green and blue of the pixels at `indices`, pulled into the sRGB gamut."""
    lightness, a, b = _recombined_lab(
        ops.take(rgb, indices, axis=0), ops.take(upsampled, indices, axis=1)
    )
    share = share_in_gamut(lightness, a, b)
    return _as_integers(lab100_to_linear(lightness, share * a, share * b), rgb.dtype)


def _recombined_lab(rgb: Tensor, upsampled: Tensor) -> tuple[Tensor, ...]:
    """L, a and b of shape (pixels,) from pixels, (pixels, 1 or 3), and planes, (5, pixels)."""
    lightness = integers_to_lightness100([rgb[:, channel] for channel in range(rgb.shape[1])])
    return lightness, *follow_lightness(lightness, upsampled)


def _as_integers(linear: list[Tensor], dtype: str) -> list[Tensor]:
    return [rgb1_to_integers(linear_to_rgb1(channel), dtype) for channel in linear]


def _without_copy(planes: np.ndarray) -> Tensor:
    """A tensor that shares the memory of an array; copying would cost as much as computing."""
    if planes.flags.c_contiguous and planes.ctypes.data % _ALIGNMENT == 0:
        return tf.experimental.dlpack.from_dlpack(planes.__dlpack__())
    return tf.constant(planes)


def _padded(array: np.ndarray, size: int) -> np.ndarray:
    """The array padded with zeros to `size` along its first axis."""
    return np.pad(array, [(0, size - len(array)), *[(0, 0)] * (array.ndim - 1)])
