"""The curves of sRGB and CIE Lab are those of their standards, and have inverses."""

import numpy as np
import pytest
from skimage import color

from data.color import color_curves as curves
from tests.colors import rgb_cube


def test_known_values_of_the_curve_of_srgb():
    # The line ends at 0.04045; half of the light is nearly three quarters of the range.
    linear = curves.rgb1_to_linear(np.array([0.0, 0.0323, 0.7354, 1.0], "float32"))
    np.testing.assert_allclose(linear, [0.0, 0.0025, 0.5, 1.0], atol=1e-4)


def test_known_values_of_the_curve_of_lab():
    f = curves.relative_xyz_to_f(np.array([0.0, 0.125, 1.0], "float32"))
    np.testing.assert_allclose(f, [16 / 116, 0.5, 1.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (curves.rgb1_to_linear, curves.linear_to_rgb1),
        (curves.relative_xyz_to_f, curves.f_to_relative_xyz),
    ],
)
def test_curves_have_inverses_also_outside_the_range(there, back):
    values = np.linspace(-0.5, 1.5, 401).astype("float32")
    np.testing.assert_allclose(back(there(values)), values, atol=1e-4)


def test_matrices_are_those_of_skimage_relative_to_white():
    rgb1 = rgb_cube(51)
    xyz = np.asarray(curves.rgb1_to_linear(rgb1.astype("float32"))) @ curves.RGB_TO_RELATIVE_XYZ
    white = color.rgb2xyz(np.ones(3))
    np.testing.assert_allclose(xyz, color.rgb2xyz(rgb1) / white, atol=1e-4)
    inverse = curves.RGB_TO_RELATIVE_XYZ @ curves.RELATIVE_XYZ_TO_RGB
    np.testing.assert_allclose(inverse, np.eye(3), atol=1e-5)
