"""The metric is the mean of the colorfulness of the single images."""

import numpy as np
import pytest

from data.color.colorfulness import colorfulness
from metrics.image.colorfulness import Colorfulness


def images(seed, count=4):
    return np.random.default_rng(seed).uniform(0, 1, (count, 6, 7, 3)).astype("float32")


def expected(rgb1):
    return np.mean([colorfulness(image * 255.0) for image in rgb1])


def test_is_the_mean_of_the_colored_images():
    metric = Colorfulness()
    metric.update_state(images(0), images(1))
    assert float(metric.result()) == pytest.approx(expected(images(1)), rel=1e-5)


def test_of_truth_is_the_mean_of_the_true_images():
    metric = Colorfulness(of_truth=True)
    metric.update_state(images(0), images(1))
    assert float(metric.result()) == pytest.approx(expected(images(0)), rel=1e-5)


def test_mean_is_over_all_batches_image_by_image():
    metric = Colorfulness()
    metric.update_state(images(0)[:3], images(1)[:3])
    metric.update_state(images(0)[3:], images(1)[3:])
    assert float(metric.result()) == pytest.approx(expected(images(1)), rel=1e-5)


def test_gray_images_have_no_colorfulness():
    metric = Colorfulness()
    metric.update_state(images(0), images(1)[..., :1].repeat(3, axis=-1))
    assert float(metric.result()) == pytest.approx(0.0, abs=1e-3)


def test_sample_weight_of_0_skips_images():
    metric = Colorfulness()
    metric.update_state(images(0), images(1), sample_weight=np.array([0.0, 0.0, 1.0, 0.0]))
    assert float(metric.result()) == pytest.approx(expected(images(1)[2:3]), rel=1e-5)


def test_reset_state_forgets_earlier_images():
    metric = Colorfulness()
    metric.update_state(images(0), images(1))
    metric.reset_state()
    assert float(metric.result()) == 0.0
    metric.update_state(images(0), images(2))
    assert float(metric.result()) == pytest.approx(expected(images(2)), rel=1e-5)


def test_names_of_true_and_colored_metrics_differ():
    assert Colorfulness().name == "colorfulness"
    assert Colorfulness(of_truth=True).name == "true_colorfulness"
    assert Colorfulness(name="mine").name == "mine"


def test_is_restored_from_its_configuration():
    again = Colorfulness.from_config(Colorfulness(of_truth=True).get_config())
    assert again.of_truth
    assert again.name == "true_colorfulness"
