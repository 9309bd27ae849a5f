"""The curves of sRGB and of CIE Lab, number by number, and the matrices between them.

sRGB in [0, 1] is straightened into linear light, a matrix makes XYZ of it, relative to white, and
a curve like a cube root makes of that the f of which L, a and b are differences:

    rgb1 -> linear -> relative XYZ -> f

What lies outside the gamut may leave [0, 1]: every curve goes on, and its gradient is finite.

Reference: IEC 61966-2-1 (sRGB); CIE 15:2004 (Lab). The constants are those of scikit-image.
"""

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

_RGB_TO_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])

# Row vectors are multiplied from the left, and XYZ is taken relative to white, so that white maps
# to (1, 1, 1): one matrix each way.
RGB_TO_RELATIVE_XYZ = (_RGB_TO_XYZ / _WHITE[:, None]).T.astype("float32")
RELATIVE_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ / _WHITE[:, None]).T.astype("float32")

# Below these points both curves are straight lines.
_RGB_LINE_END = 0.04045
_LINEAR_LINE_END = 0.0031308
_XYZ_LINE_END = 0.008856
_XYZ_LINE_SLOPE = 7.787
_XYZ_LINE_OFFSET = 16.0 / 116.0
# Where the cube root leaves the line. Rounded as in scikit-image.
_F_LINE_END = 0.2068966


def rgb1_to_linear(rgb1: Tensor) -> Tensor:
    """sRGB in [0, 1] to linear light in [0, 1], float32 of any shape."""
    # `where` sends gradients through both branches: each gets an argument that is safe for it.
    curve = _power((ops.maximum(rgb1, _RGB_LINE_END) + 0.055) / 1.055, 2.4)
    return ops.where(rgb1 > _RGB_LINE_END, curve, rgb1 / 12.92)


def linear_to_rgb1(linear: Tensor) -> Tensor:
    """Linear light in [0, 1] to sRGB in [0, 1], float32 of any shape."""
    curve = 1.055 * _power(ops.maximum(linear, _LINEAR_LINE_END), 1.0 / 2.4) - 0.055
    return ops.where(linear > _LINEAR_LINE_END, curve, 12.92 * linear)


def relative_xyz_to_f(xyz: Tensor) -> Tensor:
    """XYZ relative to white, about [0, 1], to f in about [16/116, 1], float32 of any shape."""
    cube_root = _power(ops.maximum(xyz, _XYZ_LINE_END), 1.0 / 3.0)
    line = _XYZ_LINE_SLOPE * xyz + _XYZ_LINE_OFFSET
    return ops.where(xyz > _XYZ_LINE_END, cube_root, line)


def f_to_relative_xyz(f: Tensor) -> Tensor:
    """f in about [16/116, 1] to XYZ relative to white, about [0, 1], float32 of any shape."""
    line = (f - _XYZ_LINE_OFFSET) / _XYZ_LINE_SLOPE
    return ops.where(f > _F_LINE_END, f * f * f, line)


def _power(base: Tensor, exponent: float) -> Tensor:
    """A power of positive numbers, 2 to 3 times as fast as `ops.power` where XLA compiles it."""
    return ops.exp(exponent * ops.log(base))
