"""The metrics of pixels by scikit-image and NumPy, and images to compare them on."""

import numpy as np
import pytest
from skimage.color import rgb2lab
from skimage.metrics import peak_signal_noise_ratio

from data.color.colorfulness import colorfulness
from metrics import PSNR, SSIM, Blotches, Colorfulness, HueCoverage, PooledPSNR
from tests.colors import skimage_ssim


def images(seed, count=4):
    """Images of many colors, whose frequencies depend on the seed."""
    random = np.random.default_rng(seed)
    colors = random.beta(1.0 + seed, 1.0, (count, 12, 13, 3))
    gray = random.uniform(0.3, 0.7, (count, 12, 13, 1)) + random.uniform(
        -0.1 - 0.3 * seed, 0.1 + 0.3 * seed, (count, 12, 13, 3)
    )
    return (
        np.where(random.uniform(size=gray.shape[:3])[..., None] < 0.5, colors, gray)
        .clip(0, 1)
        .astype("float32")
    )


def psnr(true, colored):
    return peak_signal_noise_ratio(true, colored, data_range=1.0)


def chroma_and_hue(rgb1):
    lab = rgb2lab(rgb1.astype("float64"))
    return np.hypot(lab[..., 1], lab[..., 2]), np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))


def blotches(true, colored):
    is_gray = chroma_and_hue(true)[0] < 15.0
    return (is_gray & (chroma_and_hue(colored)[0] > 40.0)).sum() / is_gray.sum()


def hue_shares(rgb1):
    chroma, hue = chroma_and_hue(rgb1)
    return np.histogram(hue[chroma > 10.0] % 360.0, bins=8, range=(0.0, 360.0))[0] / hue.size


def hue_coverage(true, colored):
    coverage = hue_shares(colored) / hue_shares(true)
    by_name = {f"hue_{45 * number}": each for number, each in enumerate(coverage)}
    return {"least_hue": coverage.min(), **by_name}


# Means over images, by the value of each image.
MEANS = {
    "psnr": (PSNR, psnr),
    "ssim": (SSIM, skimage_ssim),
    "colorfulness": (Colorfulness, lambda true, colored: colorfulness(255.0 * colored)),
    "true_colorfulness": (
        lambda: Colorfulness(of_truth=True),
        lambda true, colored: colorfulness(255.0 * true),
    ),
}
# Values of all pixels of all images.
POOLED = {
    "pooled_psnr": (PooledPSNR, psnr),
    "blotches": (Blotches, blotches),
    "hue_coverage": (HueCoverage, hue_coverage),
}


def result(metric):
    value = metric.result()
    return {name: float(value[name]) for name in value} if isinstance(value, dict) else float(value)


def assert_equals_reference(name):
    """Asserts that a metric has the value of its reference.

    The value is that of the images of all batches since the last reset.
    """
    make, reference = (MEANS | POOLED)[name]
    true, colored = images(0), images(1)
    expected = (
        reference(true, colored)
        if name in POOLED
        else np.mean([reference(*pair) for pair in zip(true, colored, strict=True)])
    )
    metric = make()
    assert metric.name == name
    metric.update_state(images(2), images(0))
    metric.reset_state()
    metric.update_state(true[:3], colored[:3])
    metric.update_state(true[3:], colored[3:])
    assert result(metric) == pytest.approx(expected, rel=1e-4)
