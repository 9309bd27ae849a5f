"""What a network left of its hints is spread."""

import numpy as np
import pytest

from inference.hint_spreading import FAR, NEAR, spread_residuals
from inference.hints import HintSquare

RED = np.array([50.0, 30.0], "float32")


@pytest.fixture
def two_fields():
    """Lightness of two fields that are 30 apart, and gray ab."""
    lightness = np.full((48, 48, 1), 40.0, "float32")
    lightness[:, 24:] = 70.0
    return lightness, np.zeros((48, 48, 2), "float32")


def square(row, column, ab=RED):
    return HintSquare(slice(row, row + 4), slice(column, column + 4), ab)


@pytest.mark.parametrize("deviations", [NEAR, FAR])
def test_a_hint_is_kept_and_ends_at_the_edge(two_fields, deviations):
    colored = spread_residuals(*two_fields, [square(20, 10)], deviations)
    np.testing.assert_allclose(colored[20:24, 10:14].mean(axis=(0, 1)), RED, atol=1e-3)
    assert np.abs(colored[:, 24:]).mean(axis=(0, 1)).max() < 3.0


def test_far_hints_color_the_whole_field(two_fields):
    colored = spread_residuals(*two_fields, [square(20, 10)], FAR)
    assert colored[2, 2, 0] > 0.5 * RED[0]


def test_a_gray_hint_makes_its_thing_gray(two_fields):
    lightness, gray = two_fields
    colored = spread_residuals(lightness, gray + RED, [square(20, 10, 0 * RED)], FAR)
    assert np.abs(colored[:, :24]).mean() < 10.0
    np.testing.assert_allclose(colored[:, 24:].mean(axis=(0, 1)), RED, atol=3.0)


def test_hints_at_one_place_share_it(two_fields):
    colored = spread_residuals(*two_fields, [square(20, 10), square(20, 10, -RED)])
    assert np.isfinite(colored).all()


def test_without_hints_colors_are_as_predicted(two_fields):
    lightness, gray = two_fields
    assert spread_residuals(lightness, gray, []) is gray
