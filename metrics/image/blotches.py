"""Glaring colors where the true image is almost gray."""

import keras
from keras import ops

from data.color.lab import lab100_to_chroma, rgb1_to_lab100

# Chroma in units of ab: true colors below the first are almost gray, and colors above the second
# are glaring.
_ALMOST_GRAY = 15.0
_GLARING = 40.0


@keras.saving.register_keras_serializable("colorizer")
class Blotches(keras.metrics.Metric):
    """The share of almost gray pixels that were given a glaring color: 0 to 1, lower is better.

    Counts, among the pixels whose chroma is below 15 in the true images, those whose chroma is
    above 40 in the colored images, such as red spots on gray walls. Mean errors hardly show them.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = Blotches()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name: str = "blotches", dtype=None):
        super().__init__(name=name, dtype=dtype)
        # Sums of each image's share: float32 cannot count all the pixels.
        self._gray = self.add_variable((), "zeros", name="gray")
        self._glaring = self.add_variable((), "zeros", name="glaring")

    def update_state(self, true_rgb1, colored_rgb1):
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self.update_with_lab100(rgb1_to_lab100(true_rgb1), rgb1_to_lab100(colored_rgb1))

    def update_with_lab100(self, true_lab100, colored_lab100):
        """Updates the metric with the same images in CIE Lab."""
        is_gray = lab100_to_chroma(true_lab100) < _ALMOST_GRAY
        is_glaring = ops.logical_and(is_gray, lab100_to_chroma(colored_lab100) > _GLARING)
        for total, where in ((self._gray, is_gray), (self._glaring, is_glaring)):
            total.assign_add(ops.sum(ops.mean(ops.cast(where, self.dtype), axis=(1, 2))))

    def result(self):
        return ops.divide_no_nan(self._glaring, self._gray)
