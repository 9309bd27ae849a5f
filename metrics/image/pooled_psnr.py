"""Peak signal-to-noise ratio of all images pooled."""

import keras
from keras import KerasTensor as Tensor

from metrics.image.image_metric import ImageMetric
from metrics.image.psnr import decibels, mean_squared_errors


@keras.saving.register_keras_serializable("colorizer")
class PooledPSNR(ImageMetric):
    """10 log10(1 / mean squared error of all pixels of all images), RGB in [0, 1], in dB.

    From 0 to 100 dB, the value of equal images; higher is better. It is lower than `PSNR`, which
    averages the decibels of the images, because a bad image weighs more here. Papers report either
    one without saying which.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = PooledPSNR()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name: str = "pooled_psnr", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        return mean_squared_errors(true_rgb1, colored_rgb1)

    def result(self) -> Tensor:
        return decibels(super().result())
