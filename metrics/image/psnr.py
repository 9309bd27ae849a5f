"""Peak signal-to-noise ratio."""

from keras import ops

from metrics.image.decibels import decibels
from metrics.image.image_metric import ImageMetric


class PSNR(ImageMetric):
    """The mean over images of 10 log10(1 / mean squared error of RGB in [0, 1]), in dB.

    From 0; higher is better. The ratio has no upper bound, but an image that is equal to the true
    one counts as 100 dB. It is computed for each image over all three channels, like scikit-image's
    `peak_signal_noise_ratio`, and then averaged.

    Args:
        name: str. Defaults to `psnr`.
        **kwargs: arguments of `keras.metrics.Metric`.

    Example:
        metric = PSNR()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()

    Reference: Huynh-Thu and Ghanbari, "Scope of validity of PSNR in image/video quality
    assessment", Electronics Letters 2008, equation 1.
    """

    def __init__(self, name="psnr", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, true_rgb1, colored_rgb1):
        error = ops.mean(ops.square(true_rgb1 - colored_rgb1), axis=(1, 2, 3))
        return decibels(error)
