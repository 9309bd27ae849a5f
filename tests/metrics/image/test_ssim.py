"""SSIM equals scikit-image's."""

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


def of_skimage(true, colored):
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
    assert measured([true], [colored]) == pytest.approx(of_skimage(true, colored), abs=1e-5)


def test_equals_skimage_for_other_colors():
    true = photograph()
    colored = np.roll(true, 1, axis=-1)
    assert measured([true], [colored]) == pytest.approx(of_skimage(true, colored), abs=1e-5)


def test_equals_skimage_where_it_is_dark_and_flat():
    true = np.full((20, 30, 3), 0.02, "float32")
    colored = noisy(true, 0.01)
    assert measured([true], [colored]) == pytest.approx(of_skimage(true, colored), abs=1e-4)


def test_equal_images_have_1():
    assert measured([photograph()], [photograph()]) == pytest.approx(1.0, abs=1e-6)


def test_is_the_mean_of_the_images():
    true = photograph()
    colored = [noisy(true, 0.05), noisy(true, 0.3)]
    expected = np.mean([of_skimage(true, each) for each in colored])
    assert measured([true, true], colored) == pytest.approx(expected, abs=1e-5)
