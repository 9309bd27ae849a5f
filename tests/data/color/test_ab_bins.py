"""The square bins of ab, compared with NumPy's histogram."""

import numpy as np

from data.color.ab_bins import (
    BIN_CENTERS,
    BINS,
    BINS_PER_SIDE,
    ab1_to_bin,
    ab1_to_palette,
    count_bins,
)


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


def test_each_center_is_in_its_own_bin():
    np.testing.assert_array_equal(ab1_to_bin(BIN_CENTERS), np.arange(BINS))


def test_a_palette_is_the_histogram_of_one_image():
    images = np.random.default_rng(0).uniform(-1, 1, (2, 5, 4, 2)).astype("float32")
    palettes = np.asarray(ab1_to_palette(images))
    for image, palette in zip(images, palettes, strict=True):
        np.testing.assert_allclose(palette, count_bins([image]).ravel() / 20, atol=1e-7)
