"""Suggested colors have the lightness of their place, differ, and begin with the predicted one."""

import numpy as np
import pytest
from skimage import color

from inference.suggestions import suggest_colors


def lab_of(shown):
    rgb = np.array([int(shown[first : first + 2], 16) for first in (1, 3, 5)]) / 255
    return color.rgb2lab(rgb)


# The same for all bands of lightness, and one that looks as predicted.
COMMON = [[[0.0, 0.0], [6.0, 21.0], [-2.0, -25.0], [-20.0, 20.0], [30.0, 20.0], [9.0, -30.0]]] * 10


@pytest.mark.parametrize("lightness", [5.0, 30.0, 60.0, 90.0, 100.0])
def test_colors_have_the_lightness_of_the_place(lightness):
    suggested = suggest_colors(np.array([lightness, 5.0, 20.0]), COMMON)
    for _, shown in suggested:
        assert lab_of(shown)[0] == pytest.approx(lightness, abs=0.7)


def test_first_is_what_was_predicted_and_no_two_look_alike():
    suggested = suggest_colors(np.array([60.0, 5.0, 20.0]), COMMON)
    name, shown = suggested[0]
    assert name == "as predicted"
    np.testing.assert_allclose(lab_of(shown), [60.0, 5.0, 20.0], atol=0.7)
    ab = np.array([lab_of(shown)[1:] for _, shown in suggested])
    distances = np.hypot(*(ab[:, None] - ab).T)
    assert (distances + 100 * np.eye(len(ab))).min() > 5
    names = ["gray", "blue", "green", "pink", "blue", "neighboring hue", "neighboring hue"]
    assert [name for name, _ in suggested[1:]] == names


def test_common_colors_are_those_of_the_lightness_of_the_place():
    common = [[] for _ in range(10)]
    common[6] = [[0.0, -30.0]]
    light, dark = (suggest_colors(np.array([each, 0.0, 0.0]), common) for each in (65.0, 55.0))
    assert [name for name, _ in light] == ["as predicted", "blue", *["neighboring hue"] * 2]
    np.testing.assert_allclose(lab_of(light[1][1]), [65.0, 0.0, -30.0], atol=0.7)
    assert [name for name, _ in dark] == ["as predicted", *["neighboring hue"] * 2]


def test_without_common_colors_there_are_fewer():
    assert len(suggest_colors(np.array([60.0, 5.0, 20.0]))) == 3


def test_black_and_white_have_only_themselves():
    assert len(suggest_colors(np.array([0.0, 0.0, 0.0]))) == 1
    assert suggest_colors(np.array([100.0, 0.0, 0.0]))[0][1] == "#ffffff"
