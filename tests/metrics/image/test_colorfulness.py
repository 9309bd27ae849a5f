"""The colorfulness is the mean of that of the images."""

import pytest

from metrics import Colorfulness
from tests.metrics.image.references import assert_equals_reference, images


@pytest.mark.parametrize("name", ["colorfulness", "true_colorfulness"])
def test_result_is_the_mean_of_the_images(name):
    assert_equals_reference(name)


def test_gray_images_have_no_colorfulness():
    metric = Colorfulness()
    metric.update_state(images(0), images(1)[..., :1].repeat(3, axis=-1))
    assert float(metric.result()) == pytest.approx(0.0, abs=1e-3)
