"""PSNR agrees with scikit-image and is averaged over images."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from metrics.image.psnr import PSNR


def images(seed, count=5):
    return np.random.default_rng(seed).uniform(0, 1, (count, 6, 7, 3)).astype("float32")


def noisy(true):
    """Each image with more noise than the one before."""
    amounts = np.linspace(0.01, 0.3, len(true), dtype="float32")[:, None, None, None]
    return true + amounts * (images(9, len(true)) - 0.5)


def skimage_psnr(true, colored):
    return [
        peak_signal_noise_ratio(*pair, data_range=1.0) for pair in zip(true, colored, strict=True)
    ]


def test_equals_the_mean_of_skimage_over_images():
    metric, true = PSNR(), images(0)
    metric.update_state(true, noisy(true))
    assert float(metric.result()) == pytest.approx(np.mean(skimage_psnr(true, noisy(true))), 1e-5)


def test_mean_is_over_all_batches_image_by_image():
    metric, true = PSNR(), images(0)
    metric.update_state(true[:4], noisy(true)[:4])
    metric.update_state(true[4:], noisy(true)[4:])
    assert float(metric.result()) == pytest.approx(np.mean(skimage_psnr(true, noisy(true))), 1e-5)


def test_an_error_of_a_tenth_everywhere_is_20_decibels():
    metric = PSNR()
    metric.update_state(np.zeros((1, 4, 4, 3), "float32"), np.full((1, 4, 4, 3), 0.1, "float32"))
    assert float(metric.result()) == pytest.approx(20.0)


def test_equal_images_count_as_100_decibels():
    metric = PSNR()
    metric.update_state(images(0), images(0))
    assert float(metric.result()) == pytest.approx(100.0)


def test_sample_weight_of_0_skips_images():
    metric, true = PSNR(), images(0, 2)
    metric.update_state(true, noisy(true), sample_weight=np.array([0.0, 1.0]))
    assert float(metric.result()) == pytest.approx(skimage_psnr(true, noisy(true))[1], 1e-5)


def test_reset_state_forgets_earlier_images():
    metric, true = PSNR(), images(0)
    metric.update_state(true, true)
    metric.reset_state()
    metric.update_state(true, noisy(true))
    assert float(metric.result()) == pytest.approx(np.mean(skimage_psnr(true, noisy(true))), 1e-5)


def test_default_name_is_psnr():
    assert PSNR().name == "psnr"


def test_is_restored_from_its_configuration():
    assert PSNR.from_config(PSNR(name="mine").get_config()).name == "mine"
