"""The layout of sample grids."""

import numpy as np

from callbacks.sample_grid import draw_grid


def test_columns_are_side_by_side_with_white_between():
    black, gray = np.zeros((3, 5, 4, 3), "uint8"), np.full((3, 5, 4, 3), 128, "uint8")
    grid = draw_grid([black, gray])
    assert grid.shape == (3 * 5 + 2 * 4, 4 + 4 + 4, 3)
    assert (grid[:5, :4] == 0).all()
    assert (grid[18:, 8:] == 128).all()
    assert (grid[5:9] == 255).all()
    assert (grid[:, 4:8] == 255).all()
