"""Lightness becomes a gray image with three equal channels."""

import keras
import numpy as np
import pytest
from skimage.color import lab2rgb

from models.layers.gray_image import GrayImage


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_gray_has_the_lightness_by_skimage(dtype):
    keras.mixed_precision.set_global_policy(dtype)
    lightness1 = np.linspace(-1, 1, 24, dtype="float32").reshape(2, 3, 4, 1)
    lab = np.concatenate([50 * (lightness1 + 1), np.zeros((2, 3, 4, 2))], axis=-1)
    gray = np.asarray(GrayImage()(lightness1))
    # Half precision is too coarse for colors, whatever the policy.
    assert gray.dtype == np.float32
    np.testing.assert_allclose(gray, lab2rgb(lab), atol=1e-3)


def test_shape_has_three_channels():
    assert GrayImage().compute_output_shape((None, 8, None, 1)) == (None, 8, None, 3)
