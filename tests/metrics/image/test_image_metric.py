"""Images may have weights in the mean of a metric."""

import numpy as np
import pytest

from tests.metrics.image.references import MEANS, images


@pytest.mark.parametrize("name", MEANS)
def test_images_of_weight_0_do_not_count(name):
    make, reference = MEANS[name]
    metric = make()
    metric.update_state(images(0), images(1), sample_weight=np.array([0.0, 0.0, 1.0, 0.0]))
    assert float(metric.result()) == pytest.approx(reference(images(0)[2], images(1)[2]), rel=1e-4)
