"""The sRGB gamut: testing whether a color is inside it, and moving colors into it.

There are functions for channels-last tensors and, for photographs at full size, for one tensor
per channel (see `data.color.lab_planes`).
"""

from collections.abc import Sequence

from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import join_lab
from data.color.lab_planes import lab100_to_linear

# White exceeds 1 by almost this much because the matrices are rounded. Black is exact up to
# floating point, and a wider tolerance would be visible near it.
_LOWEST = -1e-6
_HIGHEST = 1.0 + 1e-4

_STEPS = 12
# For training targets, which are many: one step costs as much as the rest of the conversion.
_FEW_STEPS = 5


def pull_into_gamut(lab100: Tensor) -> Tensor:
    """Moves colors outside the sRGB gamut toward gray, at constant lightness and hue.

    Clipping red, green and blue independently would shift the hue and change the lightness, which
    must stay that of the photograph. Colors inside the gamut are unchanged.

    Args:
        lab100: tensor of shape (..., 3), L in [0, 100].

    Returns:
        float32 tensor of shape (..., 3). The chroma of a color that was outside falls short of the
        largest possible one by at most 1/4096 of the original chroma.

    Example:
        lab100 = np.array([[50.0, 100.0, 0.0], [50.0, 10.0, 0.0]])      # outside, inside
        pull_into_gamut(lab100)                 # [[50.0, 78.96, 0.0], [50.0, 10.0, 0.0]]
    """
    lightness, a, b = _planes(lab100)
    share = share_in_gamut(lightness, a, b)
    return join_lab(lightness[..., None], ops.stack([share * a, share * b], axis=-1))


def strengthen(lab100: Tensor, factor: float) -> Tensor:
    """Multiplies the chroma, as far as sRGB can show the color at its lightness and hue.

    Args:
        lab100: tensor of shape (..., 3), L in [0, 100], of colors inside the sRGB gamut.
        factor: float above 0, the factor of the chroma. Values below 1 make colors weaker.

    Returns:
        float32 tensor of shape (..., 3), of colors inside the sRGB gamut. Where the full factor
        would leave the gamut, the largest factor that does not is used, less at most 1/32 of what
        the full one would add.

    Example:
        strengthen([[50.0, 20.0, 0.0]], 1.5)                            # [[50.0, 30.0, 0.0]]
    """
    lightness, a, b = _planes(lab100)
    share = factor
    if factor > 1.0:
        # The unchanged color is inside, so 1 / factor of the strengthened one is too.
        share_of_full = share_in_gamut(lightness, factor * a, factor * b, 1.0 / factor, _FEW_STEPS)
        share = factor * share_of_full
    return join_lab(lightness[..., None], ops.stack([share * a, share * b], axis=-1))


def is_linear_in_gamut(linear: Sequence[Tensor]) -> Tensor:
    """Returns whether sRGB can show a color, from linear red, green and blue of shape (...)."""
    inside = [ops.logical_and(part >= _LOWEST, part <= _HIGHEST) for part in linear]
    return ops.logical_and(ops.logical_and(inside[0], inside[1]), inside[2])


def share_in_gamut(
    lightness: Tensor, a: Tensor, b: Tensor, least: float = 0.0, steps: int = _STEPS
) -> Tensor:
    """Finds, by bisection, the share of a and b that lies inside the gamut.

    Args:
        lightness: float32 tensor of any shape, L in [0, 100].
        a: float32 tensor of the same shape.
        b: float32 tensor of the same shape.
        least: float in [0, 1), a share that is known to be inside. Defaults to `0.0`.
        steps: int, the number of bisections of the interval from `least` to 1. Defaults to `12`.

    Returns:
        float32 tensor of the same shape, in [0, 1].
    """

    def is_inside(share):
        return is_linear_in_gamut(lab100_to_linear(lightness, share * a, share * b))

    # Invariant: `share` is always inside the gamut.
    share = ops.full_like(lightness, least)
    for step in range(1, steps + 1):
        tried = share + (1.0 - least) * 0.5**step
        share = ops.where(is_inside(tried), tried, share)
    return ops.where(is_inside(1.0), 1.0, share)


def _planes(lab100: Tensor) -> list[Tensor]:
    lab100 = ops.cast(lab100, "float32")
    return [lab100[..., channel] for channel in range(3)]
