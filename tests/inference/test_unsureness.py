"""How unsure a network is of its colors."""

import numpy as np

from inference.unsureness import unsureness


def test_one_color_is_sure_however_strong():
    np.testing.assert_allclose(unsureness(np.full((32, 48, 2), 90.0)), 0.0, atol=1e-5)


def test_colors_that_are_spread_by_15_are_half_unsure():
    rows, columns = np.indices((64, 64))
    ab = np.stack([20.0 + 15.0 * (-1.0) ** (rows + columns), 0.0 * rows], axis=-1)
    measured = unsureness(ab)
    assert measured.shape == (64, 64, 1)
    np.testing.assert_allclose(measured[16:48, 16:48], 0.5, atol=1e-3)


def test_a_blotch_is_unsure_and_what_is_far_from_it_is_not():
    ab = np.zeros((96, 96, 2))
    ab[20:30, 20:30] = 60.0
    measured = unsureness(ab)[..., 0]
    assert measured[20:30, 20:30].min() > 0.6
    assert measured[60:, 60:].max() < 0.01
