"""The shares of the hues agree with scikit-image and NumPy."""

import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from metrics.image.hue_coverage import HueCoverage


def images(seed, count=4):
    random = np.random.default_rng(seed)
    # The frequencies of the hues depend on the seed.
    return random.beta(1.0 + seed, 1.0, (count, 9, 11, 3)).astype("float32")


def shares(rgb1):
    lab = rgb2lab(rgb1.astype("float64"))
    angle = np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360.0
    has_hue = np.hypot(lab[..., 1], lab[..., 2]) > 10.0
    counts, _ = np.histogram(angle[has_hue], bins=8, range=(0.0, 360.0))
    return counts / angle.size


def patch(chroma, degrees):
    """An image of one color of lightness 60."""
    angle = np.radians(degrees)
    lab = [60.0, chroma * np.cos(angle), chroma * np.sin(angle)]
    return np.broadcast_to(lab2rgb(lab), (1, 4, 4, 3)).astype("float32")


def test_result_is_the_ratio_of_shares_over_all_batches():
    metric = HueCoverage()
    true, colored = images(0), images(1)
    for part in (slice(0, 3), slice(3, 4)):
        metric.update_state(true[part], colored[part])
    np.testing.assert_allclose(metric.result(), shares(colored) / shares(true), rtol=1e-4)
    metric.reset_state()
    metric.update_state(true, true)
    np.testing.assert_allclose(metric.result(), np.ones(8))


@pytest.mark.parametrize("hue", range(8))
def test_hues_are_eighths_of_the_circle_starting_at_0(hue):
    metric = HueCoverage()
    for degrees in (45 * hue + 1, 45 * hue + 44):
        metric.update_state(patch(20.0, degrees), patch(20.0, degrees))
    expected = np.full(8, np.nan)
    expected[hue] = 1.0
    np.testing.assert_array_equal(metric.result(), expected)


def test_a_hue_of_less_than_a_thousandth_of_the_true_pixels_is_nan():
    metric = HueCoverage()
    true = np.repeat(patch(20.0, 30.0), 1001, axis=0)
    true[0] = patch(20.0, 100.0)
    metric.update_state(true, true)
    assert np.isfinite(np.asarray(metric.result())).tolist() == [True] + 7 * [False]
    metric.reset_state()
    metric.update_state(true[:999], true[:999])
    assert np.isfinite(np.asarray(metric.result())).tolist() == [True, False, True] + 5 * [False]


def test_almost_gray_pixels_have_no_hue():
    metric = HueCoverage()
    metric.update_state(patch(11.0, 30.0), patch(9.0, 30.0))
    assert float(metric.result()[0]) == 0.0
