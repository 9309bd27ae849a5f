"""SSIM agrees with scikit-image."""

import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from metrics.image.ssim import SSIM


def noisy(image, deviation):
    noise = np.random.default_rng(0).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 1).astype("float32")


def photograph(size=96):
    return (data.astronaut()[100 : 100 + size, 150 : 150 + size] / 255.0).astype("float32")


def skimage_ssim(true, colored):
    return structural_similarity(
        true,
        colored,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )


def measured(true, colored):
    metric = SSIM()
    metric.update_state(np.stack(true), np.stack(colored))
    return float(metric.result())


@pytest.mark.parametrize("deviation", [0.01, 0.1, 0.5])
def test_equals_skimage(deviation):
    true = photograph()
    colored = noisy(true, deviation)
    assert measured([true], [colored]) == pytest.approx(skimage_ssim(true, colored), abs=1e-5)


def test_equals_skimage_for_swapped_channels():
    true = photograph()
    colored = np.roll(true, 1, axis=-1)
    assert measured([true], [colored]) == pytest.approx(skimage_ssim(true, colored), abs=1e-5)


def test_equals_skimage_for_dark_and_flat_images():
    true = np.full((20, 30, 3), 0.02, "float32")
    colored = noisy(true, 0.01)
    assert measured([true], [colored]) == pytest.approx(skimage_ssim(true, colored), abs=1e-4)


def test_equal_images_have_an_ssim_of_1():
    assert measured([photograph()], [photograph()]) == pytest.approx(1.0, abs=1e-6)


def test_is_the_mean_of_the_images():
    true = photograph()
    colored = [noisy(true, 0.05), noisy(true, 0.3)]
    expected = np.mean([skimage_ssim(true, image) for image in colored])
    assert measured([true, true], colored) == pytest.approx(expected, abs=1e-5)
