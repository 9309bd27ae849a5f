"""Structural similarity, for the metric and for the loss."""

import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

# Side of the Gaussian window, which is also the smallest side of an image.
WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def structural_similarity(true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
    """Computes the structural similarity of images, in [-1, 1]; it is 1 for equal images.

    The statistics are weighted by a Gaussian window of 11 x 11 pixels with a standard deviation of
    1.5. The result is the mean over the channels and over all positions where the window lies
    inside the image.

    Args:
        true_rgb1: tensor of shape (batch, height, width, 3), sRGB in [0, 1], at least 11 x 11.
        colored_rgb1: tensor of the same shape; values outside [0, 1] are allowed.

    Returns:
        float32 tensor of shape (batch,).

    Example:
        structural_similarity(true_rgb1, colored_rgb1)      # (batch,)

    Reference: Wang et al., "Image Quality Assessment: From Error Visibility to Structural
    Similarity", IEEE Transactions on Image Processing 2004, equation 13.
    """
    true, colored = (ops.cast(rgb1, "float32") for rgb1 in (true_rgb1, colored_rgb1))
    mean_true, mean_colored = _blur(true), _blur(colored)
    # Centering the values at 0 before they are squared keeps more of float32's precision in the
    # differences below.
    true, colored = true - 0.5, colored - 0.5
    centered_true, centered_colored = mean_true - 0.5, mean_colored - 0.5
    variance_true = _blur(true * true) - centered_true**2
    variance_colored = _blur(colored * colored) - centered_colored**2
    covariance = _blur(true * colored) - centered_true * centered_colored
    c1, c2 = _K1**2, _K2**2
    lightness = (2 * mean_true * mean_colored + c1) / (mean_true**2 + mean_colored**2 + c1)
    structure = (2 * covariance + c2) / (variance_true + variance_colored + c2)
    return ops.mean(lightness * structure, axis=(1, 2, 3))


def _blur(images):
    """Gaussian means at all positions where the window lies inside the image."""
    window = np.exp(-0.5 * (np.arange(WINDOW) - WINDOW // 2) ** 2 / _SIGMA**2)
    window = (window / window.sum()).astype("float32")
    channels = images.shape[-1]
    for shape in ((WINDOW, 1, 1, 1), (1, WINDOW, 1, 1)):
        kernel = np.tile(window.reshape(shape), (1, 1, channels, 1))
        images = ops.depthwise_conv(images, kernel, padding="valid")
    return images
