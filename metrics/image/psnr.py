"""Peak signal-to-noise ratio."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from metrics.image.image_metric import ImageMetric

# The value in dB for an error of 0, or of what float32 rounding leaves of it.
LARGEST_PSNR = 100.0


@keras.saving.register_keras_serializable("colorizer")
class PSNR(ImageMetric):
    """The mean over images of 10 log10(1 / mean squared error of RGB in [0, 1]), in dB.

    From 0; higher is better. The ratio has no upper bound, but an image that is equal to the true
    one counts as 100 dB. It is computed for each image over all three channels, like scikit-image's
    `peak_signal_noise_ratio`, and then averaged.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = PSNR()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()

    Reference: Huynh-Thu and Ghanbari, "Scope of validity of PSNR in image/video quality
    assessment", Electronics Letters 2008, equation 1.
    """

    def __init__(self, name: str = "psnr", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        return decibels(mean_squared_errors(true_rgb1, colored_rgb1))


def mean_squared_errors(true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
    """The error of each image, shape (batch,), of two tensors (batch, height, width, channels)."""
    return ops.mean(ops.square(true_rgb1 - colored_rgb1), axis=(1, 2, 3))


def decibels(mean_squared_error: Tensor) -> Tensor:
    """10 log10(1 / error), at most 100 dB, of a tensor of mean squared errors in [0, 1]."""
    least = 10.0 ** (-0.1 * LARGEST_PSNR)
    return -10.0 * ops.log10(ops.maximum(mean_squared_error, least))
