"""The transfer curves of sRGB and CIE Lab, and the matrices between them.

sRGB in [0, 1] is linearized, multiplied by a matrix to give XYZ relative to white, and passed
through a curve close to a cube root to give f, from whose differences L, a and b are computed:

    rgb1 -> linear -> relative XYZ -> f

Colors outside the gamut may leave [0, 1]: every curve is defined there, with a finite gradient.

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

# For row vectors (`color @ matrix`). XYZ is relative to white, so that white maps to (1, 1, 1).
RGB_TO_RELATIVE_XYZ = (_RGB_TO_XYZ / _WHITE[:, None]).T.astype("float32")
RELATIVE_XYZ_TO_RGB = np.linalg.inv(_RGB_TO_XYZ / _WHITE[:, None]).T.astype("float32")

# Below these points the curves are straight lines.
_RGB_LINE_END = 0.04045
_LINEAR_LINE_END = 0.0031308
_XYZ_LINE_END = 0.008856
_XYZ_LINE_SLOPE = 7.787
_XYZ_LINE_OFFSET = 16.0 / 116.0
# The value of f where the line meets the cube root, rounded as in scikit-image.
_F_LINE_END = 0.2068966


def rgb1_to_linear(rgb1: Tensor) -> Tensor:
    """Converts sRGB in [0, 1] to linear light in [0, 1], float32 of any shape."""
    # `where` propagates gradients through both branches, so each one needs a safe argument.
    curve = _power((ops.maximum(rgb1, _RGB_LINE_END) + 0.055) / 1.055, 2.4)
    return ops.where(rgb1 > _RGB_LINE_END, curve, rgb1 / 12.92)


def linear_to_rgb1(linear: Tensor) -> Tensor:
    """Converts linear light in [0, 1] to sRGB in [0, 1], float32 of any shape."""
    curve = 1.055 * _power(ops.maximum(linear, _LINEAR_LINE_END), 1.0 / 2.4) - 0.055
    return ops.where(linear > _LINEAR_LINE_END, curve, 12.92 * linear)


def relative_xyz_to_f(xyz: Tensor) -> Tensor:
    """Converts XYZ relative to white, about [0, 1], to f, about [16/116, 1], float32."""
    cube_root = _power(ops.maximum(xyz, _XYZ_LINE_END), 1.0 / 3.0)
    line = _XYZ_LINE_SLOPE * xyz + _XYZ_LINE_OFFSET
    return ops.where(xyz > _XYZ_LINE_END, cube_root, line)


def f_to_relative_xyz(f: Tensor) -> Tensor:
    """Converts f, about [16/116, 1], to XYZ relative to white, about [0, 1], float32."""
    line = (f - _XYZ_LINE_OFFSET) / _XYZ_LINE_SLOPE
    return ops.where(f > _F_LINE_END, f * f * f, line)


def _power(base: Tensor, exponent: float) -> Tensor:
    """Raises positive numbers to a power, 2 to 3 times as fast as `ops.power` under XLA."""
    return ops.exp(exponent * ops.log(base))
