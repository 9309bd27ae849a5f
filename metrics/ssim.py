"""Structural similarity."""

import numpy as np
from keras import ops

from metrics.picture_mean import PictureMean

_WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


class SSIM(PictureMean):
    """The mean over pictures of their structural similarity, of RGB in [0, 1].

    From -1 to 1, which equal pictures have; higher is better. A Gaussian window of 11 x 11 pixels
    with a deviation of 1.5, over the places where it lies inside the picture, averaged over
    places and channels. Colors count little in it, because the lightness that they ride on is
    the truth's own: differences between colorizers are in the third digit.

    Equal to scikit-image's `structural_similarity` with `gaussian_weights=True, sigma=1.5,
    use_sample_covariance=False, data_range=1.0, channel_axis=-1`, whose mean leaves out the same
    border.

    Args:
        name: str. Defaults to `ssim`.
        **kwargs: those of `keras.metrics.Metric`.

    Reference: Wang et al., "Image Quality Assessment: From Error Visibility to Structural
    Similarity", IEEE Transactions on Image Processing 2004, equation 13.
    """

    def __init__(self, name="ssim", **kwargs):
        super().__init__(name=name, **kwargs)

    def measure(self, true_rgb1, colored_rgb1):
        true, colored = (ops.cast(rgb1, "float32") for rgb1 in (true_rgb1, colored_rgb1))
        mean_true, mean_colored = _blur(true), _blur(colored)
        # Deviations from 1/2 are squared, so that float32 loses less in the differences below.
        true, colored = true - 0.5, colored - 0.5
        centered_true, centered_colored = mean_true - 0.5, mean_colored - 0.5
        variance_true = _blur(true * true) - centered_true**2
        variance_colored = _blur(colored * colored) - centered_colored**2
        covariance = _blur(true * colored) - centered_true * centered_colored
        c1, c2 = _K1**2, _K2**2
        lightness = (2 * mean_true * mean_colored + c1) / (mean_true**2 + mean_colored**2 + c1)
        structure = (2 * covariance + c2) / (variance_true + variance_colored + c2)
        return ops.mean(lightness * structure, axis=(1, 2, 3))


def _blur(pictures):
    """The Gaussian mean around each place whose window lies inside the picture."""
    window = np.exp(-0.5 * (np.arange(_WINDOW) - _WINDOW // 2) ** 2 / _SIGMA**2)
    window = (window / window.sum()).astype("float32")
    channels = pictures.shape[-1]
    for shape in ((_WINDOW, 1, 1, 1), (1, _WINDOW, 1, 1)):
        kernel = np.tile(window.reshape(shape), (1, 1, channels, 1))
        pictures = ops.depthwise_conv(pictures, kernel, padding="valid")
    return pictures
