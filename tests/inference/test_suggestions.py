"""Suggested colors have the lightness of their place, differ, and begin with the predicted one."""

import numpy as np
import pytest
from skimage import color

from inference.suggestions import suggest_colors


def lab_of(shown):
    rgb = np.array([int(shown[first : first + 2], 16) for first in (1, 3, 5)]) / 255
    return color.rgb2lab(rgb)


@pytest.mark.parametrize("lightness", [5.0, 30.0, 60.0, 90.0])
def test_colors_have_the_lightness_of_the_place(lightness):
    suggested = suggest_colors(np.array([lightness, 5.0, 20.0]))
    for _, shown in suggested:
        assert lab_of(shown)[0] == pytest.approx(lightness, abs=0.7)


def test_first_is_what_was_predicted_and_no_two_look_alike():
    suggested = suggest_colors(np.array([60.0, 5.0, 20.0]))
    name, shown = suggested[0]
    assert name == "as predicted"
    np.testing.assert_allclose(lab_of(shown), [60.0, 5.0, 20.0], atol=0.7)
    ab = np.array([lab_of(shown)[1:] for _, shown in suggested])
    distances = np.hypot(*(ab[:, None] - ab).T)
    assert (distances + 100 * np.eye(len(ab))).min() > 5
    assert 5 <= len(suggested) <= 8


def test_black_and_white_have_only_themselves():
    assert len(suggest_colors(np.array([0.0, 0.0, 0.0]))) == 1
    assert suggest_colors(np.array([100.0, 0.0, 0.0]))[0][1] == "#ffffff"
