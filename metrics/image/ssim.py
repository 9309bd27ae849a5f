"""Structural similarity."""

import keras
from keras import KerasTensor as Tensor

from losses.structural_similarity import structural_similarity
from metrics.image.image_metric import ImageMetric


@keras.saving.register_keras_serializable("colorizer")
class SSIM(ImageMetric):
    """The mean over images of the structural similarity of RGB in [0, 1].

    From -1 to 1, the value of equal images; higher is better. Colors have little influence, because
    the lightness of the images is that of the true images: colorizers differ in the third digit.
    The definition and its source (Wang et al. 2004) are in `losses.structural_similarity`.

    Equal to scikit-image's `structural_similarity` with `gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=1.0, channel_axis=-1`, whose mean excludes the same
    border.

    Args:
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = SSIM()
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()
    """

    def __init__(self, name: str = "ssim", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        return structural_similarity(true_rgb1, colored_rgb1)
