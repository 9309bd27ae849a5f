"""CIE Lab with one tensor per channel, for photographs at full size.

The functions of `data.color.lab` take channels-last tensors, as networks do. Separate channels are
faster on photographs: XLA vectorizes a long chain of operations only where the values of a channel
are contiguous, only L is needed, and a gray photograph has one channel to convert instead of three.

Example:
    from data.color.color_curves import linear_to_rgb1

    gray = np.arange(256, dtype="uint8")
    lightness = integers_to_lightness100([gray])                 # L in [0, 100]
    linear = lab100_to_linear(lightness, a=20.0, b=-10.0)
    red, green, blue = (linear_to_rgb1(channel) for channel in linear)
"""

import functools
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import ops

from data.color.color_curves import (
    RELATIVE_XYZ_TO_RGB,
    RGB_TO_RELATIVE_XYZ,
    f_to_relative_xyz,
    relative_xyz_to_f,
    rgb1_to_linear,
)
from data.color.lab import integers_to_rgb1


def integers_to_lightness100(rgb: Sequence[Tensor]) -> Tensor:
    """Computes the lightness L of sRGB in integers.

    Powers are looked up: of integers there are at most 65,536.

    Args:
        rgb: sequence of uint8 or uint16 tensors of the same shape: red, green and blue, or gray
            only.

    Returns:
        float32 tensor of the same shape, in [0, 100].
    """
    indices = [ops.cast(channel, "int32") for channel in rgb]
    dtype = keras.backend.standardize_dtype(rgb[0].dtype)
    if len(rgb) == 1:
        return ops.take(_lightness100_of_gray(dtype), indices[0])
    linear = [ops.take(_linear_of_integers(dtype), channel) for channel in indices]
    return _luminance_to_lightness100(_weighted_sum(linear, RGB_TO_RELATIVE_XYZ[:, 1]))


def lab100_to_linear(lightness: Tensor, a: Tensor, b: Tensor) -> list[Tensor]:
    """Converts CIE Lab to linear red, green and blue, in [0, 1] inside the sRGB gamut."""
    y = (lightness + 16.0) / 116.0
    xyz = [f_to_relative_xyz(f) for f in (y + a / 500.0, y, y - b / 200.0)]
    return [_weighted_sum(xyz, RELATIVE_XYZ_TO_RGB[:, channel]) for channel in range(3)]


@functools.cache
def _linear_of_integers(dtype: str) -> np.ndarray:
    integers = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    # Not in a graph that is being traced.
    with tf.init_scope():
        return ops.convert_to_numpy(rgb1_to_linear(integers_to_rgb1(integers)))


@functools.cache
def _lightness100_of_gray(dtype: str) -> np.ndarray:
    luminance = RGB_TO_RELATIVE_XYZ[:, 1].sum() * _linear_of_integers(dtype)
    with tf.init_scope():
        return ops.convert_to_numpy(_luminance_to_lightness100(luminance))


def _luminance_to_lightness100(luminance: Tensor) -> Tensor:
    return 116.0 * relative_xyz_to_f(luminance) - 16.0


def _weighted_sum(planes: Sequence[Tensor], weights: np.ndarray) -> Tensor:
    return sum(float(weight) * plane for weight, plane in zip(weights, planes, strict=True))
