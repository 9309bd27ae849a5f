"""The commonest colors of images at each lightness."""

import numpy as np

from data.color.common_colors import BANDS, band_of, find_common_colors


def pixels(count, lightness, a, b):
    return np.full((count, 3), (lightness, a, b), "float32")


def test_colors_are_those_of_their_lightness_the_commonest_first():
    found = find_common_colors([pixels(4, 55, 0, -40), pixels(9, 51, 40, 30), pixels(2, 9, 8, 9)])
    assert found[5] == [[40.0, 30.0], [0.0, -40.0]]
    assert found[0] == [[8.0, 9.0]]
    assert [len(band) for band in found] == [1, 0, 0, 0, 0, 2, 0, 0, 0, 0]


def test_colors_are_means_of_what_lies_in_a_bin():
    [color] = find_common_colors([pixels(1, 30, 11, 20), pixels(3, 30, 13, 18)])[3]
    assert color == [12.5, 18.5]


def test_colors_near_a_commoner_one_and_rare_ones_are_left_out():
    images = [pixels(40_000, 50, 0, 0), pixels(30_000, 50, 10, 0), pixels(9, 50, 40, 40)]
    assert find_common_colors([*images, pixels(1, 50, -40, 40)])[5] == [[0.0, 0.0], [40.0, 40.0]]


def test_there_are_at_most_twelve_and_white_is_in_the_last_band():
    random = np.random.default_rng(0)
    colors = np.column_stack([np.full(20_000, 100.0), random.uniform(-90, 90, (20_000, 2))])
    assert len(find_common_colors([colors])[BANDS - 1]) == 12
    assert band_of(0.0) == 0
