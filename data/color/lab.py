"""sRGB <-> CIE Lab, and the ranges networks see.

Five ranges have a name, and each function is named after the two it goes between:

| name     | what                                                         |
|----------|--------------------------------------------------------------|
| `rgb255` | sRGB in [0, 255]                                             |
| `rgb65535` | sRGB in [0, 65535]                                         |
| `rgb1`   | sRGB in [0, 1]                                               |
| `lab100` | CIE Lab, D65, 2 degree observer: L in [0, 100], a and b about [-110, 110] |
| `lab1`   | what every network sees: L/50 - 1 and ab/110, all about [-1, 1] |

All functions take and return channels-last tensors of any leading shape, compute in float32 and
are differentiable. They are written with `keras.ops`, so that they run inside a `tf.data` graph,
a training step, or eagerly on NumPy arrays, and under every backend of Keras.

Example:
    lab = rgb1_to_lab100(images)                      # (batch, height, width, 3)
    lightness, ab = split_lab(lab100_to_lab1(lab))      # (..., 1), (..., 2)

Reference: IEC 61966-2-1 (sRGB); CIE 15:2004 (Lab). The constants are those of scikit-image, with
which the conversions agree within 1e-3 in every channel.
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
    """sRGB of any number type in [0, 255] to float32 in [0, 1]."""
    return ops.cast(rgb255, "float32") / 255.0


def rgb1_to_rgb255(rgb1: Tensor) -> Tensor:
    """sRGB in [0, 1] to uint8 in [0, 255], rounded; what lies outside is clipped."""
    return ops.cast(ops.round(ops.clip(rgb1, 0.0, 1.0) * 255.0), "uint8")


def rgb65535_to_rgb1(rgb65535: Tensor) -> Tensor:
    """sRGB of any number type in [0, 65535] to float32 in [0, 1]."""
    return ops.cast(rgb65535, "float32") / 65535.0


def rgb1_to_rgb65535(rgb1: Tensor) -> Tensor:
    """sRGB in [0, 1] to uint16 in [0, 65535], rounded; what lies outside is clipped."""
    # By way of int32: not every device converts to uint16.
    rounded = ops.round(ops.clip(rgb1, 0.0, 1.0) * 65535.0)
    return ops.cast(ops.cast(rounded, "int32"), "uint16")


def integers_to_rgb1(rgb: Tensor) -> Tensor:
    """`rgb255` of type uint8 or `rgb65535` of type uint16 to float32 in [0, 1]."""
    return rgb255_to_rgb1(rgb) if rgb.dtype == "uint8" else rgb65535_to_rgb1(rgb)


def rgb1_to_integers(rgb1: Tensor, dtype: str) -> Tensor:
    """sRGB in [0, 1] to `rgb255` of type uint8 or `rgb65535` of type uint16."""
    return rgb1_to_rgb255(rgb1) if dtype == "uint8" else rgb1_to_rgb65535(rgb1)


def rgb1_to_lab100(rgb1: Tensor) -> Tensor:
    """sRGB in [0, 1], shape (..., 3), to CIE Lab, shape (..., 3)."""
    linear = rgb1_to_linear(ops.cast(rgb1, "float32"))
    return _relative_xyz_to_lab100(ops.matmul(linear, RGB_TO_RELATIVE_XYZ))


def lab100_to_rgb1(lab100: Tensor) -> Tensor:
    """CIE Lab, shape (..., 3), to sRGB clipped to [0, 1], shape (..., 3)."""
    return ops.clip(lab100_to_unclipped_rgb1(lab100), 0.0, 1.0)


def lab100_to_unclipped_rgb1(lab100: Tensor) -> Tensor:
    """CIE Lab to sRGB that leaves [0, 1] where the color is outside the gamut: for losses.

    Inside the gamut it equals `lab100_to_rgb1`. Outside, the straight end of each curve goes on
    below 0 and the power law above 1, so that the function is strictly increasing in every
    linear component: its gradient is finite everywhere, black included, and never zero; descent
    on the distance to a color inside the gamut leads back inside. A clipped conversion would stop
    teaching exactly where a network is most wrong.

    Args:
        lab100: tensor of shape (..., 3).

    Returns:
        float32 tensor of shape (..., 3), [0, 1] inside the gamut.
    """
    return linear_to_rgb1(ops.matmul(_lab100_to_relative_xyz(lab100), RELATIVE_XYZ_TO_RGB))


def lab100_to_lab1(lab100: Tensor) -> Tensor:
    """CIE Lab to the range of networks: L/50 - 1 and ab/110. Shape (..., 3)."""
    return ops.cast(lab100, "float32") / _SCALES - _OFFSETS


def lab1_to_lab100(lab1: Tensor) -> Tensor:
    """The range of networks to CIE Lab. Shape (..., 3)."""
    return (ops.cast(lab1, "float32") + _OFFSETS) * _SCALES


def rgb255_to_lab1(rgb255: Tensor) -> Tensor:
    """sRGB in [0, 255] to the range of networks. Shape (..., 3)."""
    return lab100_to_lab1(rgb1_to_lab100(rgb255_to_rgb1(rgb255)))


def lab1_to_rgb1(lab1: Tensor) -> Tensor:
    """The range of networks to sRGB clipped to [0, 1]. Shape (..., 3)."""
    return lab100_to_rgb1(lab1_to_lab100(lab1))


def lab1_to_unclipped_rgb1(lab1: Tensor) -> Tensor:
    """The range of networks to sRGB for losses: see `lab100_to_unclipped_rgb1`."""
    return lab100_to_unclipped_rgb1(lab1_to_lab100(lab1))


def lightness1_to_gray_rgb1(lightness1: Tensor) -> Tensor:
    """Lightness in [-1, 1], shape (..., 1), to the sRGB gray of that lightness, shape (..., 3).

    This is what a network that was trained on RGB images is fed: the gray image itself, not
    L in place of a gray value (the two curves differ by up to 0.05).
    """
    lightness100 = (ops.cast(lightness1, "float32") + 1.0) * LIGHTNESS_SCALE
    luminance = f_to_relative_xyz((lightness100 + 16.0) / 116.0)
    gray = ops.clip(linear_to_rgb1(luminance), 0.0, 1.0)
    return ops.concatenate([gray, gray, gray], axis=-1)


def lab100_to_chroma(lab100: Tensor) -> Tensor:
    """CIE Lab, shape (..., 3), to the chroma, the distance from gray: shape (...)."""
    return ops.sqrt(ops.sum(ops.square(lab100[..., 1:]), axis=-1))


def split_lab(lab: Tensor) -> tuple[Tensor, Tensor]:
    """Lab of any range, shape (..., 3), to lightness (..., 1) and ab (..., 2)."""
    return lab[..., :1], lab[..., 1:]


def join_lab(lightness: Tensor, ab: Tensor) -> Tensor:
    """Lightness (..., 1) and ab (..., 2) of one range to float32 Lab (..., 3)."""
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
