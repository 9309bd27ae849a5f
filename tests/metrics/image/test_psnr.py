"""The peak signal-to-noise ratio is that of scikit-image."""

import numpy as np
import pytest

from metrics import PSNR, PooledPSNR
from tests.metrics.image.references import assert_equals_reference


def test_result_is_that_of_skimage():
    assert_equals_reference("psnr")


def test_an_error_of_a_tenth_everywhere_is_20_decibels_and_equal_images_are_100():
    black = np.zeros((1, 4, 4, 3), "float32")
    for metric in (PSNR(), PooledPSNR()):
        metric.update_state(black, black + 0.1)
        assert float(metric.result()) == pytest.approx(20.0)
        metric.reset_state()
        metric.update_state(black, black)
        assert float(metric.result()) == pytest.approx(100.0)
