"""The pooled ratio is that of all pixels of all images."""

import numpy as np
import pytest

from metrics import PSNR, PooledPSNR
from tests.metrics.image.references import assert_equals_reference


def test_result_is_that_of_skimage():
    assert_equals_reference("pooled_psnr")


def test_one_bad_image_weighs_more_in_the_pooled_psnr():
    true, colored = np.zeros((2, 4, 4, 3), "float32"), np.zeros((2, 4, 4, 3), "float32")
    colored[0] += 0.01
    colored[1] += 1.0
    pooled, mean = PooledPSNR(), PSNR()
    for metric in (pooled, mean):
        metric.update_state(true, colored)
    assert float(mean.result()) == pytest.approx(20.0, abs=1e-3)
    assert float(pooled.result()) == pytest.approx(-10 * np.log10(0.50005), abs=1e-4)
