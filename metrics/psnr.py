"""Peak signal-to-noise ratio."""

from keras import ops

from metrics.picture_mean import PictureMean


class PSNR(PictureMean):
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

    def measure(self, true_rgb1, colored_rgb1):
        error = ops.mean(ops.square(true_rgb1 - colored_rgb1), axis=(1, 2, 3))
        return -10.0 * ops.log(ops.maximum(error, 1e-10)) / ops.log(10.0)
