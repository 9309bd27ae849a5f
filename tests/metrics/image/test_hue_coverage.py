"""The amount of each hue is relative to that of the true images."""

import numpy as np
import pytest
from skimage.color import lab2rgb

from metrics import HueCoverage
from tests.metrics.image.references import assert_equals_reference, result


def test_result_is_that_of_numpy():
    assert_equals_reference("hue_coverage")


def patch(chroma, degrees):
    """An image of one color of lightness 60."""
    angle = np.radians(degrees)
    lab = [60.0, chroma * np.cos(angle), chroma * np.sin(angle)]
    return np.broadcast_to(lab2rgb(lab), (1, 4, 4, 3)).astype("float32")


def measured_hues(metric):
    """The hues that are measured; the others are NaN."""
    return {name: value for name, value in result(metric).items() if not np.isnan(value)}


@pytest.mark.parametrize("start", range(0, 360, 45))
def test_hues_are_eighths_of_the_circle_starting_at_0(start):
    metric = HueCoverage()
    for degrees in (start + 1, start + 44):
        metric.update_state(patch(20.0, degrees), patch(20.0, degrees))
    assert measured_hues(metric) == {"least_hue": 1.0, f"hue_{start}": 1.0}


def test_a_hue_of_less_than_a_thousandth_of_the_true_pixels_is_not_measured():
    metric = HueCoverage()
    true = np.repeat(patch(20.0, 30.0), 1001, axis=0)
    true[0] = patch(20.0, 100.0)
    metric.update_state(true, true)
    assert measured_hues(metric).keys() == {"least_hue", "hue_0"}
    metric.reset_state()
    metric.update_state(true[:999], true[:999])
    assert measured_hues(metric).keys() == {"least_hue", "hue_0", "hue_90"}


def test_almost_gray_pixels_have_no_hue():
    metric = HueCoverage()
    metric.update_state(patch(11.0, 30.0), patch(9.0, 30.0))
    assert measured_hues(metric) == {"least_hue": 0.0, "hue_0": 0.0}
    metric.reset_state()
    metric.update_state(patch(9.0, 30.0), patch(11.0, 30.0))
    assert measured_hues(metric) == {}
