"""The structural similarity is that of scikit-image."""

import numpy as np
import pytest

from metrics import SSIM
from tests.colors import skimage_ssim
from tests.metrics.image.references import assert_equals_reference


def test_result_is_that_of_skimage():
    assert_equals_reference("ssim")


def test_dark_and_flat_images_have_the_ssim_of_skimage():
    true = np.full((20, 30, 3), 0.02, "float32")
    noise = np.random.default_rng(0).normal(0.0, 0.01, true.shape)
    colored = (true + noise).clip(0, 1).astype("float32")
    metric = SSIM()
    metric.update_state(true[None], colored[None])
    assert float(metric.result()) == pytest.approx(skimage_ssim(true, colored), abs=1e-4)
