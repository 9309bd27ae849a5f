"""The amount of each hue in the colored images, relative to the true images."""

import math

import keras
from keras import KerasTensor as Tensor
from keras import ops

from data.color.lab import lab100_to_chroma
from metrics.image.lab_metric import LabMetric

_HUES = 8

# Colors of a lower chroma count as gray: their hue is mostly noise.
_LEAST_CHROMA = 10.0

# The least share of the true pixels for which a hue is measured.
_LEAST_SHARE = 1e-3


@keras.saving.register_keras_serializable("colorizer")
class HueCoverage(LabMetric):
    """The amount of each of eight hues, relative to the true images.

    A colorizer that is good on average may produce no red at all. The hue of a pixel is the angle
    of (a, b) in CIE Lab, in eight bins of 45 degrees starting at 0: reds, oranges, yellows, greens,
    blue-greens, sky blues, blues and purples. Pixels with a chroma of 10 or less have no hue.

    `result` returns a dict of scalars. `hue_0` to `hue_315`, named after the angles at which the
    bins start, are the share of the hue among all colored pixels divided by that among all true
    pixels: 1 is as much as in the true images, and 0 is none at all. They are NaN where less than a
    thousandth of the true pixels have the hue, which are too few. `least_hue` is the smallest of
    the others.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = HueCoverage()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()["least_hue"]
    """

    def __init__(self, name: str = "hue_coverage", dtype: str | None = None):
        super().__init__((2, _HUES), name, dtype)

    def measure(self, true_lab100: Tensor, colored_lab100: Tensor) -> Tensor:
        return ops.stack([_shares(true_lab100), _shares(colored_lab100)], axis=1)

    def result(self) -> dict[str, Tensor]:
        true, colored = ops.unstack(self.sums)
        is_there = ops.logical_and(true >= _LEAST_SHARE * self.images, true > 0.0)
        coverage = colored / ops.maximum(true, 1e-30)
        least = ops.min(ops.where(is_there, coverage, math.inf))
        coverage = ops.where(is_there, coverage, math.nan)
        return {
            "least_hue": ops.where(ops.any(is_there), least, math.nan),
            **{f"hue_{360 // _HUES * number}": coverage[number] for number in range(_HUES)},
        }


def _shares(lab100):
    """The share of each hue in each image, shape (batch, 8)."""
    turns = ops.arctan2(lab100[..., 2], lab100[..., 1]) / (2.0 * math.pi)
    hue = ops.cast(ops.floor((turns - ops.floor(turns)) * _HUES), "int32")
    has_hue = lab100_to_chroma(lab100) > _LEAST_CHROMA
    # `one_hot` gives -1 no class.
    return ops.mean(ops.one_hot(ops.where(has_hue, hue % _HUES, -1), _HUES), axis=(1, 2))
