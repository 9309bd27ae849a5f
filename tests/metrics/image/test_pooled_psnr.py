"""Pooled PSNR is computed from the mean of all squared errors."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from metrics.image.pooled_psnr import PooledPSNR
from metrics.image.psnr import PSNR


def images(seed):
    return np.random.default_rng(seed).uniform(0, 1, (4, 6, 7, 3)).astype("float32")


def test_equals_skimage_on_all_images_as_one_array():
    metric = PooledPSNR()
    metric.update_state(images(0)[:3], images(1)[:3])
    metric.update_state(images(0)[3:], images(1)[3:])
    expected = peak_signal_noise_ratio(images(0), images(1), data_range=1.0)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-4)


def test_one_bad_image_weighs_more_than_in_the_mean_psnr():
    true, colored = np.zeros((2, 4, 4, 3), "float32"), np.zeros((2, 4, 4, 3), "float32")
    colored[0] += 0.01
    colored[1] += 1.0
    pooled, mean = PooledPSNR(), PSNR()
    for metric in (pooled, mean):
        metric.update_state(true, colored)
    assert float(mean.result()) == pytest.approx(20.0, abs=1e-3)
    assert float(pooled.result()) == pytest.approx(-10 * np.log10(0.50005), abs=1e-4)


def test_reset_state_forgets_earlier_images():
    metric = PooledPSNR()
    metric.update_state(images(0), images(1))
    metric.reset_state()
    metric.update_state(images(0), images(0))
    assert float(metric.result()) == pytest.approx(100.0)
