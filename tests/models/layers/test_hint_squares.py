"""Hints at the size of features."""

import numpy as np

from data.color.ab_bins import BINS
from models.layers.hint_squares import HintSquares, OnlyWithHints


def test_the_mean_is_of_what_is_hinted():
    hints = np.zeros((1, 4, 2, 3), "float32")
    hints[0, 0, 0] = (0.5, -0.2, 1.0)
    hints[0, 1, 1] = (0.1, 0.2, 1.0)
    squares = HintSquares(2)(hints)
    np.testing.assert_allclose(squares[0, :, 0], [(0.3, 0.0, 0.5), (0.0, 0.0, 0.0)], atol=1e-6)


def test_features_of_images_without_hints_and_palette_are_exactly_zero():
    features = np.ones((3, 2, 2, 3), "float32")
    hints = np.zeros((3, 4, 4, 3), "float32")
    hints[1, 3, 3, 2] = 1e-3
    palette = np.zeros((3, BINS), "float32")
    palette[2, 7] = 1.0
    passed = OnlyWithHints()([features, hints, palette])
    np.testing.assert_array_equal(passed, features * [[[[0]]], [[[1]]], [[[1]]]])
