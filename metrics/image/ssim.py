"""Structural similarity."""

from losses.structural_similarity import structural_similarity
from metrics.image.image_metric import ImageMetric


class SSIM(ImageMetric):
    """The mean over images of their structural similarity, of RGB in [0, 1].

    From -1 to 1, which equal images have; higher is better. Colors count little in it, because
    the lightness that they ride on is the truth's own: differences between colorizers are in the
    third digit. The definition and its source (Wang et al. 2004) are in
    `losses.structural_similarity`.

    Equal to scikit-image's `structural_similarity` with `gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=1.0, channel_axis=-1`, whose mean leaves out the same
    border.

    Args:
        name: str. Defaults to `ssim`.
        **kwargs: those of `keras.metrics.Metric`.
    """

    def __init__(self, name="ssim", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, true_rgb1, colored_rgb1):
        return structural_similarity(true_rgb1, colored_rgb1)
