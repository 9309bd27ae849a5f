"""The colors that sRGB can show, and the way to them for those that it cannot.

Each question is answered for colors with channels last, and, for photographs at full size, for
channels in tensors of their own (`data.color.lab_planes`).
"""

from collections.abc import Sequence

from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import join_lab
from data.color.lab_planes import lab100_to_linear

# The rounding of the matrices puts white this far outside. Black is exact but for floating point,
# and its neighborhood would see a wider tolerance.
_LOWEST = -1e-6
_HIGHEST = 1.0 + 1e-4

_STEPS = 12
# For targets of a training, of which there are many: a step is as much work as the rest.
_FEW_STEPS = 5


def is_in_gamut(lab100: Tensor) -> Tensor:
    """Whether sRGB can show a color: bool of shape (...) for CIE Lab of shape (..., 3)."""
    return is_linear_in_gamut(lab100_to_linear(*_planes(lab100)))


def pull_into_gamut(lab100: Tensor) -> Tensor:
    """Pulls colors that sRGB cannot show towards gray, at constant lightness and hue.

    Clipping red, green and blue each for itself would change the lightness, which is the
    photograph's own, and turn the hue. Colors inside the gamut stay as they are.

    Args:
        lab100: tensor of shape (..., 3), L in [0, 100].

    Returns:
        float32 tensor of shape (..., 3). The chroma of a color outside is the largest inside on its
        way to gray, less at most 1/4096 of its own.
    """
    lightness, a, b = _planes(lab100)
    share = share_in_gamut(lightness, a, b)
    return join_lab(lightness[..., None], ops.stack([share * a, share * b], axis=-1))


def strengthen(lab100: Tensor, factor: float) -> Tensor:
    """Makes colors stronger, as far as sRGB can show them at their lightness and hue.

    Args:
        lab100: tensor of shape (..., 3), L in [0, 100], of colors that sRGB can show.
        factor: float above 0, of the chroma; below 1 it makes colors weaker.

    Returns:
        float32 tensor of shape (..., 3), of colors that sRGB can show. Where the whole factor is
        too much it is the largest that is not, less at most 1/32 of what the whole one would add.
    """
    lightness, a, b = _planes(lab100)
    share = factor
    if factor > 1.0:
        # As strong as they are they can be shown.
        of_strongest = share_in_gamut(lightness, factor * a, factor * b, 1.0 / factor, _FEW_STEPS)
        share = factor * of_strongest
    return join_lab(lightness[..., None], ops.stack([share * a, share * b], axis=-1))


def is_linear_in_gamut(linear: Sequence[Tensor]) -> Tensor:
    """Whether sRGB can show a color, of its linear red, green and blue of one shape (...)."""
    inside = [ops.logical_and(part >= _LOWEST, part <= _HIGHEST) for part in linear]
    return ops.logical_and(ops.logical_and(inside[0], inside[1]), inside[2])


def share_in_gamut(
    lightness: Tensor, a: Tensor, b: Tensor, least: float = 0.0, steps: int = _STEPS
) -> Tensor:
    """What is left of a and b when they are pulled into the gamut: float32 in [0, 1], by bisection.

    Args:
        lightness: float32 tensor of any shape, L in [0, 100].
        a: float32 tensor of the same shape.
        b: float32 tensor of the same shape.
        least: float in [0, 1), a share that is known to be inside.
        steps: int, how often what is left between it and 1 is halved.
    """

    def is_inside(share):
        return is_linear_in_gamut(lab100_to_linear(lightness, share * a, share * b))

    # What is kept is always inside.
    share = ops.full_like(lightness, least)
    for step in range(1, steps + 1):
        tried = share + (1.0 - least) * 0.5**step
        share = ops.where(is_inside(tried), tried, share)
    return ops.where(is_inside(1.0), 1.0, share)


def _planes(lab100: Tensor) -> list[Tensor]:
    lab100 = ops.cast(lab100, "float32")
    return [lab100[..., channel] for channel in range(3)]
