"""The weights of color rebalancing, compared with the paper's formula."""

import numpy as np
import pytest
from scipy.signal import convolve2d

from data.color.ab_bins import ab1_to_bin
from losses.color_rebalancing import ColorRebalancing


def counts():
    """Returns counts of much gray and two rarer colors, far from each other and the border."""
    table = np.zeros((23, 23), "int64")
    table[11, 11], table[11, 16], table[16, 6] = 8_000, 1_900, 100
    return table


def smoothed(table):
    offsets = np.arange(-2, 3)
    row = np.exp(-0.5 * (10.0 * offsets / 5.0) ** 2)
    row /= row.sum()
    return convolve2d(table / table.sum(), np.outer(row, row), mode="same")


@pytest.mark.parametrize("rebalancing", [0.1, 0.5, 1.0])
def test_weights_are_those_of_the_paper(rebalancing):
    weights = ColorRebalancing(counts(), rebalancing).weights
    shares, occurs = smoothed(counts()), counts() > 0
    expected = 1.0 / (rebalancing * shares[occurs] + (1.0 - rebalancing) / occurs.sum())
    expected /= (expected * counts()[occurs]).sum() / counts().sum()
    np.testing.assert_allclose(weights[occurs], expected, rtol=1e-5)
    assert np.average(weights, weights=counts()) == pytest.approx(1.0)
    gray, some, little = weights[11, 11], weights[11, 16], weights[16, 6]
    assert gray < some < little


def test_without_rebalancing_all_weights_are_one():
    np.testing.assert_allclose(ColorRebalancing(counts(), 0.0).weights, 1.0)


def test_color_that_did_not_occur_has_the_weight_of_the_rarest_color():
    weights = ColorRebalancing(counts(), 0.5).weights
    assert weights[0, 0] == weights[16, 6] == weights.max()


def test_each_pixel_has_the_weight_of_its_bin():
    rebalancing = ColorRebalancing(counts(), 0.5)
    ab1 = np.random.default_rng(0).normal(0.0, 0.4, (2, 5, 6, 2)).astype("float32")
    found = rebalancing(ab1)
    assert found.shape == (2, 5, 6, 1)
    bins = np.asarray(ab1_to_bin(ab1))
    np.testing.assert_array_equal(found[..., 0], rebalancing.weights[bins // 23, bins % 23])


def test_empty_histogram_is_an_error():
    with pytest.raises(ValueError, match="at least one pixel"):
        ColorRebalancing(np.zeros((23, 23), "int64"), 0.5)
