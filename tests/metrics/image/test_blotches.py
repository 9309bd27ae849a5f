"""The share of gray pixels that were given a glaring color agrees with scikit-image and NumPy."""

import numpy as np
import pytest
from skimage.color import rgb2lab

from metrics.image.blotches import Blotches


def images(seed, spread, count=4):
    """Gray images with random color of up to `spread`."""
    random = np.random.default_rng(seed)
    gray = random.uniform(0.3, 0.7, (count, 9, 11, 1))
    return (gray + random.uniform(-spread, spread, (count, 9, 11, 3))).clip(0, 1).astype("float32")


def chroma(rgb1):
    lab = rgb2lab(rgb1.astype("float64"))
    return np.hypot(lab[..., 1], lab[..., 2])


def test_result_is_the_share_of_glaring_pixels_among_those_that_should_be_gray():
    metric = Blotches()
    true, colored = images(0, 0.1), images(1, 0.4)
    for part in (slice(0, 3), slice(3, 4)):
        metric.update_state(true[part], colored[part])
    is_gray = chroma(true) < 15.0
    expected = (is_gray & (chroma(colored) > 40.0)).sum() / is_gray.sum()
    assert 0.05 < expected < 0.95
    assert 0.3 < is_gray.mean() < 0.95
    assert float(metric.result()) == pytest.approx(expected, rel=1e-4)
    metric.reset_state()
    metric.update_state(true, true)
    assert float(metric.result()) == 0.0


def test_result_is_0_where_nothing_should_be_gray():
    metric = Blotches()
    red = np.broadcast_to(np.array([1.0, 0.0, 0.0], "float32"), (1, 4, 4, 3))
    metric.update_state(red, red)
    assert float(metric.result()) == 0.0
