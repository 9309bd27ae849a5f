"""CIE Lab with one tensor per channel, for photographs at full size.

The functions of `data.color.lab` take channels-last tensors, as networks do. Separate channels are
faster on photographs: XLA vectorizes a long chain of operations only where the values of a channel
are contiguous, only L is needed, and a gray photograph has one channel to convert instead of three.

Example:
    from data.color.color_curves import linear_to_rgb1

    gray = np.linspace(0.0, 1.0, 256, dtype="float32")
    lightness = rgb1_to_lightness100([gray])                     # L in [0, 100]
    linear = lab100_to_linear(lightness, a=20.0, b=-10.0)
    red, green, blue = (linear_to_rgb1(channel) for channel in linear)
"""

from collections.abc import Sequence

from keras import KerasTensor as Tensor

from data.color.color_curves import (
    RELATIVE_XYZ_TO_RGB,
    RGB_TO_RELATIVE_XYZ,
    f_to_relative_xyz,
    relative_xyz_to_f,
    rgb1_to_linear,
)


def rgb1_to_lightness100(rgb1: Sequence[Tensor]) -> Tensor:
    """Computes the lightness L of sRGB in [0, 1].

    Args:
        rgb1: sequence of float32 tensors of the same shape: red, green and blue, or gray only.

    Returns:
        float32 tensor of the same shape, in [0, 100].
    """
    linear = [rgb1_to_linear(channel) for channel in rgb1]
    shares = RGB_TO_RELATIVE_XYZ[:, 1]
    if len(linear) == 1:
        shares = [shares.sum()]
    luminance = _weighted_sum(linear, shares)
    return 116.0 * relative_xyz_to_f(luminance) - 16.0


def lab100_to_linear(lightness: Tensor, a: Tensor, b: Tensor) -> list[Tensor]:
    """Converts CIE Lab to linear red, green and blue, in [0, 1] inside the sRGB gamut."""
    y = (lightness + 16.0) / 116.0
    xyz = [f_to_relative_xyz(f) for f in (y + a / 500.0, y, y - b / 200.0)]
    return [_weighted_sum(xyz, RELATIVE_XYZ_TO_RGB[:, channel]) for channel in range(3)]


def _weighted_sum(planes: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    return sum(float(weight) * plane for weight, plane in zip(weights, planes, strict=True))
