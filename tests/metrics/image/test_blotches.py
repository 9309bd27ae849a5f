"""Blotches are glaring colors where the true image is almost gray."""

import numpy as np

from metrics import Blotches
from tests.metrics.image.references import assert_equals_reference


def test_result_is_that_of_numpy():
    assert_equals_reference("blotches")


def test_there_are_no_blotches_where_nothing_should_be_gray():
    metric = Blotches()
    red = np.broadcast_to(np.array([1.0, 0.0, 0.0], "float32"), (1, 4, 4, 3))
    metric.update_state(red, red)
    assert float(metric.result()) == 0.0
