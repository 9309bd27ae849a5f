"""Peak signal-to-noise ratio of all images pooled."""

import keras
from keras import ops

from metrics.image.decibels import decibels


class PooledPSNR(keras.metrics.Metric):
    """10 log10(1 / mean squared error of all pixels of all images), RGB in [0, 1], in dB.

    From 0 to 100 dB, the value of equal images; higher is better. It is lower than `PSNR`, which
    averages the decibels of the images, because a bad image weighs more here. Papers report either
    one without saying which.

    Args:
        name: str. Defaults to `pooled_psnr`.
        **kwargs: arguments of `keras.metrics.Metric`.

    Example:
        metric = PooledPSNR()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name="pooled_psnr", **kwargs):
        super().__init__(name=name, **kwargs)
        self._error = keras.metrics.Mean(dtype="float32")

    def update_state(self, true_rgb1, colored_rgb1, sample_weight=None):
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        errors = ops.mean(ops.square(true_rgb1 - colored_rgb1), axis=(1, 2, 3))
        self._error.update_state(errors, sample_weight)

    def result(self):
        return decibels(self._error.result())

    def reset_state(self):
        self._error.reset_state()
