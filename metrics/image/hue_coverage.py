"""The amount of each hue in the colored images, relative to the true images."""

import math

import keras
from keras import ops

from data.color.lab import lab100_to_chroma, rgb1_to_lab100

# Colors of a lower chroma count as gray: their hue is mostly noise.
_LEAST_CHROMA = 10.0

# The least share of the true pixels for which a hue is measured.
_LEAST_SHARE = 1e-3


class HueCoverage(keras.metrics.Metric):
    """The amount of each of eight hues, relative to the true images.

    A colorizer that is good on average may produce no red at all. The hue of a pixel is the angle
    of (a, b) in CIE Lab, in eight bins of 45 degrees starting at 0: reds, oranges, yellows, greens,
    blue-greens, sky blues, blues and purples. Pixels with a chroma of 10 or less have no hue.

    `result` returns, for each hue, its share of all colored pixels divided by its share of all true
    pixels: 1 is as much as in the true images, and 0 is none at all. It is NaN where less than a
    thousandth of the true pixels have the hue, which are too few.

    Args:
        name: str. Defaults to `hue_coverage`.
        **kwargs: arguments of `keras.metrics.Metric`.

    Example:
        metric = HueCoverage()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()                                 # shape (8,)
    """

    HUES = 8

    def __init__(self, name="hue_coverage", **kwargs):
        super().__init__(name=name, **kwargs)
        # Sums of each image's share: float32 cannot count all the pixels.
        self._images = self.add_variable((), "zeros", dtype="float32", name="images")
        self._true, self._colored = (
            self.add_variable((self.HUES,), "zeros", dtype="float32", name=which)
            for which in ("true", "colored")
        )

    def update_state(self, true_rgb1, colored_rgb1, sample_weight=None):
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self.update_with_lab100(rgb1_to_lab100(true_rgb1), rgb1_to_lab100(colored_rgb1))

    def update_with_lab100(self, true_lab100, colored_lab100):
        """Updates the metric with the same images in CIE Lab."""
        self._images.assign_add(ops.cast(ops.shape(true_lab100)[0], "float32"))
        self._true.assign_add(self._shares(true_lab100))
        self._colored.assign_add(self._shares(colored_lab100))

    def result(self):
        is_there = self._true >= _LEAST_SHARE * self._images
        is_there = ops.logical_and(is_there, self._true > 0.0)
        return ops.where(is_there, self._colored / ops.maximum(self._true, 1e-30), math.nan)

    def _shares(self, lab100):
        """The share of each hue in each image, summed over the images: shape (8,)."""
        turns = ops.arctan2(lab100[..., 2], lab100[..., 1]) / (2.0 * math.pi)
        hue = ops.cast(ops.floor((turns - ops.floor(turns)) * self.HUES), "int32")
        has_hue = lab100_to_chroma(lab100) > _LEAST_CHROMA
        # `one_hot` gives -1 no class.
        classes = ops.one_hot(ops.where(has_hue, hue % self.HUES, -1), self.HUES)
        return ops.sum(ops.mean(classes, axis=(1, 2)), axis=0)
