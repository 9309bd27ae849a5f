"""Peak signal-to-noise ratio."""

import keras
from keras import ops


class PSNR(keras.metrics.Metric):
    """The mean over pictures of 10 log10(1 / mean squared error of RGB in [0, 1]), in dB.

    Higher is better; unbounded for equal pictures, which count as 100 dB. It is computed for
    each picture and then averaged, over all three channels, as scikit-image's
    `peak_signal_noise_ratio` does for one.

    Args:
        name: str. Defaults to `psnr`.
        **kwargs: those of `keras.metrics.Metric`.

    Example:
        metric = PSNR()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name="psnr", **kwargs):
        super().__init__(name=name, **kwargs)
        self._mean = keras.metrics.Mean(dtype="float32")

    def update_state(self, true_rgb1, colored_rgb1, sample_weight=None):
        """Takes two tensors of shape (batch, height, width, 3), sRGB in [0, 1]."""
        error = ops.mean(ops.square(true_rgb1 - colored_rgb1), axis=(1, 2, 3))
        decibels = -10.0 * ops.log(ops.maximum(error, 1e-10)) / ops.log(10.0)
        self._mean.update_state(decibels, sample_weight)

    def result(self):
        return self._mean.result()

    def reset_state(self):
        self._mean.reset_state()
