"""Conversions between sRGB and CIE Lab, and the value ranges of networks.

Each function is named after the two ranges that it converts between:

| name     | range                                                        |
|----------|--------------------------------------------------------------|
| `rgb255` | sRGB in [0, 255]                                             |
| `integers` | sRGB in [0, 255] or [0, 65535], by the dtype                |
| `rgb1`   | sRGB in [0, 1]                                               |
| `lab100` | CIE Lab, D65, 2 degree observer: L in [0, 100], a and b about [-110, 110] |
| `lab1`   | scaled for networks: L/50 - 1 and ab/110, all about [-1, 1]  |

All functions take and return channels-last tensors of any leading shape, compute in float32 and
are differentiable, except for the rounding to integers and, at gray, `lab100_to_chroma`. They are
written with `keras.ops` and run inside a `tf.data` graph, in a training step or eagerly on NumPy
arrays, with any Keras backend.

Example:
    lab100 = rgb1_to_lab100(true_rgb1)                    # (batch, height, width, 3)
    lightness, ab = split_lab(lab100_to_lab1(lab100))     # (..., 1), (..., 2)

Reference: IEC 61966-2-1 (sRGB); CIE 15:2004 (Lab). The constants are those of scikit-image, and
the results agree with it within 1e-3 in every channel.
"""

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.color.color_curves import (
    RELATIVE_XYZ_TO_RGB,
    RGB_TO_RELATIVE_XYZ,
    f_to_relative_xyz,
    linear_to_rgb1,
    relative_xyz_to_f,
    rgb1_to_linear,
)

LIGHTNESS_SCALE = 50.0
AB_SCALE = 110.0

_SCALES = np.array([LIGHTNESS_SCALE, AB_SCALE, AB_SCALE], "float32")
_OFFSETS = np.array([1.0, 0.0, 0.0], "float32")


def rgb255_to_rgb1(rgb255: Tensor) -> Tensor:
    """Converts sRGB of any numeric dtype in [0, 255] to float32 in [0, 1]."""
    return ops.cast(rgb255, "float32") / 255.0


def rgb1_to_rgb255(rgb1: Tensor) -> Tensor:
    """Converts sRGB in [0, 1] to uint8 in [0, 255], clipped and rounded."""
    return ops.cast(ops.round(ops.clip(rgb1, 0.0, 1.0) * 255.0), "uint8")


def integers_to_rgb1(rgb: Tensor) -> Tensor:
    """Converts uint8 sRGB in [0, 255] or uint16 sRGB in [0, 65535] to float32 in [0, 1]."""
    return ops.cast(rgb, "float32") / (255.0 if rgb.dtype == "uint8" else 65535.0)


def rgb1_to_integers(rgb1: Tensor, dtype: str) -> Tensor:
    """Converts sRGB in [0, 1] to uint8 or uint16 of the full range, clipped and rounded."""
    if dtype == "uint8":
        return rgb1_to_rgb255(rgb1)
    # Via int32: not every device can cast to uint16.
    rounded = ops.cast(ops.round(ops.clip(rgb1, 0.0, 1.0) * 65535.0), "int32")
    return ops.cast(rounded, "uint16")


def rgb1_to_lab100(rgb1: Tensor) -> Tensor:
    """Converts sRGB in [0, 1], shape (..., 3), to CIE Lab, shape (..., 3)."""
    linear = rgb1_to_linear(ops.cast(rgb1, "float32"))
    return _relative_xyz_to_lab100(ops.matmul(linear, RGB_TO_RELATIVE_XYZ))


def lab100_to_rgb1(lab100: Tensor) -> Tensor:
    """Converts CIE Lab, shape (..., 3), to sRGB clipped to [0, 1], shape (..., 3)."""
    return ops.clip(lab100_to_unclipped_rgb1(lab100), 0.0, 1.0)


def lab100_to_unclipped_rgb1(lab100: Tensor) -> Tensor:
    """Converts CIE Lab to sRGB without clipping, for losses.

    Inside the gamut this equals `lab100_to_rgb1`. Outside, each curve continues as its straight
    line below 0 and as its power law above 1, and is thus strictly increasing in every linear
    component. The gradient is finite everywhere, including at black, and never zero, so that
    gradient descent on the distance to a color inside the gamut leads back inside. A clipped
    conversion would give no gradient exactly where a network is most wrong.

    Args:
        lab100: tensor of shape (..., 3).

    Returns:
        float32 tensor of shape (..., 3), in [0, 1] for colors inside the gamut.
    """
    return linear_to_rgb1(ops.matmul(_lab100_to_relative_xyz(lab100), RELATIVE_XYZ_TO_RGB))


def lab100_to_lab1(lab100: Tensor) -> Tensor:
    """Scales CIE Lab for networks: L/50 - 1 and ab/110. Shape (..., 3)."""
    return ops.cast(lab100, "float32") / _SCALES - _OFFSETS


def lab1_to_lab100(lab1: Tensor) -> Tensor:
    """Converts Lab scaled for networks back to CIE Lab. Shape (..., 3)."""
    return (ops.cast(lab1, "float32") + _OFFSETS) * _SCALES


def rgb255_to_lab1(rgb255: Tensor) -> Tensor:
    """Converts sRGB in [0, 255] to Lab scaled for networks. Shape (..., 3)."""
    return lab100_to_lab1(rgb1_to_lab100(rgb255_to_rgb1(rgb255)))


def lab1_to_rgb1(lab1: Tensor) -> Tensor:
    """Converts Lab scaled for networks to sRGB clipped to [0, 1]. Shape (..., 3)."""
    return lab100_to_rgb1(lab1_to_lab100(lab1))


def lab1_to_unclipped_rgb1(lab1: Tensor) -> Tensor:
    """Converts Lab scaled for networks to sRGB as `lab100_to_unclipped_rgb1` does."""
    return lab100_to_unclipped_rgb1(lab1_to_lab100(lab1))


def lightness1_to_gray_rgb1(lightness1: Tensor) -> Tensor:
    """Converts lightness in [-1, 1], shape (..., 1), to sRGB gray in [0, 1], shape (..., 3).

    The result is the input of networks that were trained on RGB images. It is the true gray
    image, not L used as a gray value (the two differ by up to 0.05).
    """
    lightness100 = (ops.cast(lightness1, "float32") + 1.0) * LIGHTNESS_SCALE
    luminance = f_to_relative_xyz((lightness100 + 16.0) / 116.0)
    gray = ops.clip(linear_to_rgb1(luminance), 0.0, 1.0)
    return ops.concatenate([gray, gray, gray], axis=-1)


def lab100_to_chroma(lab100: Tensor) -> Tensor:
    """Computes the chroma, the distance from gray: CIE Lab (..., 3) to (...)."""
    return ops.sqrt(ops.sum(ops.square(lab100[..., 1:]), axis=-1))


def split_lab(lab: Tensor) -> tuple[Tensor, Tensor]:
    """Splits Lab of any range, shape (..., 3), into lightness (..., 1) and ab (..., 2)."""
    return lab[..., :1], lab[..., 1:]


def join_lab(lightness: Tensor, ab: Tensor) -> Tensor:
    """Recombines lightness (..., 1) and ab (..., 2) of one range into float32 Lab (..., 3)."""
    return ops.concatenate([ops.cast(lightness, "float32"), ops.cast(ab, "float32")], axis=-1)


def _relative_xyz_to_lab100(xyz: Tensor) -> Tensor:
    f = relative_xyz_to_f(xyz)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return ops.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def _lab100_to_relative_xyz(lab100: Tensor) -> Tensor:
    lab100 = ops.cast(lab100, "float32")
    y = (lab100[..., 0] + 16.0) / 116.0
    x = y + lab100[..., 1] / 500.0
    z = y - lab100[..., 2] / 200.0
    return f_to_relative_xyz(ops.stack([x, y, z], axis=-1))
