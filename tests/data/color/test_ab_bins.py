"""The square bins of ab, compared with NumPy's histogram."""

import numpy as np

from data.color.ab_bins import BINS_PER_SIDE, ab1_to_bin, count_bins


def test_gray_is_the_middle_of_the_middle_bin():
    middle = BINS_PER_SIDE**2 // 2
    assert int(ab1_to_bin([0.0, 0.0])) == middle
    inside = np.array([[4.9, -4.9], [-4.9, 4.9]]) / 110.0
    assert np.array_equal(ab1_to_bin(inside), [middle, middle])
    # a selects the row, and b the column.
    assert int(ab1_to_bin(np.array([10.0, 0.0]) / 110.0)) == middle + BINS_PER_SIDE
    assert int(ab1_to_bin(np.array([0.0, -10.0]) / 110.0)) == middle - 1


def test_counts_are_those_of_a_histogram():
    random = np.random.default_rng(0)
    images = random.normal(0.0, 0.3, (3, 2, 8, 9, 2)).clip(-1.04, 1.04).astype("float32")
    flat = 110.0 * images.reshape(-1, 2).astype("float64")
    edges = np.arange(-115.0, 116.0, 10.0)
    expected, _, _ = np.histogram2d(*flat.T, bins=[edges, edges])
    counts = count_bins(images)
    assert counts.dtype == "int64"
    np.testing.assert_array_equal(counts, expected)


def test_colors_outside_the_bins_are_counted_at_the_border():
    counts = count_bins([np.array([[2.0, -2.0], [-1.5, 0.0]])])
    assert counts.sum() == 2
    assert counts[-1, 0] == counts[0, BINS_PER_SIDE // 2] == 1
