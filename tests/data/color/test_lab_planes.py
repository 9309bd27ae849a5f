"""The Lab conversions with one tensor per channel agree with scikit-image."""

import numpy as np
import pytest
from skimage import color

from data.color import lab
from data.color.color_curves import linear_to_rgb1
from data.color.lab_planes import integers_to_lightness100, lab100_to_linear
from tests.colors import lab_outside_the_gamut, rgb_cube


def test_lightness_equals_skimage_over_the_cube():
    rgb255 = np.round(255 * rgb_cube()).astype("uint8")
    lightness = integers_to_lightness100(list(rgb255.T))
    assert np.shape(lightness) == (len(rgb255),)
    np.testing.assert_allclose(lightness, color.rgb2lab(rgb255)[:, 0], rtol=0, atol=1e-3)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_every_gray_has_its_lightness(dtype):
    gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    lightness = integers_to_lightness100([gray])
    expected = color.rgb2lab(np.stack([gray] * 3, axis=-1) / np.float64(gray[-1]))[:, 0]
    np.testing.assert_allclose(lightness, expected, rtol=0, atol=1e-3)
    np.testing.assert_allclose(integers_to_lightness100([gray] * 3), lightness, atol=1e-4)


def test_lab_to_rgb_equals_skimage_over_the_cube():
    lab100 = color.rgb2lab(rgb_cube()).astype("float32")
    linear = lab100_to_linear(*lab100.T)
    rgb1 = np.stack([linear_to_rgb1(channel) for channel in linear], axis=-1)
    np.testing.assert_allclose(rgb1, color.lab2rgb(lab100), rtol=0, atol=1e-3)


def test_lab_to_rgb_outside_the_gamut_equals_the_unclipped_conversion():
    lab100 = lab_outside_the_gamut()
    rgb1 = np.stack([linear_to_rgb1(channel) for channel in lab100_to_linear(*lab100.T)], axis=-1)
    np.testing.assert_allclose(rgb1, lab.lab100_to_unclipped_rgb1(lab100), rtol=1e-4, atol=1e-4)
