"""The Lab conversions with one tensor per channel agree with scikit-image."""

import numpy as np
from skimage import color

from data.color import lab
from data.color.color_curves import linear_to_rgb1
from data.color.lab_planes import lab100_to_linear, rgb1_to_lightness100
from tests.colors import lab_outside_the_gamut, rgb_cube


def test_lightness_equals_skimage_over_the_cube():
    rgb1 = rgb_cube().astype("float32")
    lightness = rgb1_to_lightness100(list(rgb1.T))
    assert np.shape(lightness) == (len(rgb1),)
    np.testing.assert_allclose(lightness, color.rgb2lab(rgb1)[:, 0], rtol=0, atol=1e-3)


def test_single_gray_channel_has_the_lightness_of_equal_channels():
    gray = np.linspace(0.0, 1.0, 256, dtype="float32")
    np.testing.assert_allclose(
        rgb1_to_lightness100([gray]), rgb1_to_lightness100([gray] * 3), atol=1e-4
    )


def test_lab_to_rgb_equals_skimage_over_the_cube():
    lab100 = color.rgb2lab(rgb_cube()).astype("float32")
    linear = lab100_to_linear(*lab100.T)
    rgb1 = np.stack([linear_to_rgb1(channel) for channel in linear], axis=-1)
    np.testing.assert_allclose(rgb1, color.lab2rgb(lab100), rtol=0, atol=1e-3)


def test_lab_to_rgb_outside_the_gamut_equals_the_unclipped_conversion():
    lab100 = lab_outside_the_gamut()
    rgb1 = np.stack([linear_to_rgb1(channel) for channel in lab100_to_linear(*lab100.T)], axis=-1)
    np.testing.assert_allclose(rgb1, lab.lab100_to_unclipped_rgb1(lab100), rtol=1e-4, atol=1e-4)
