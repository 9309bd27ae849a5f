"""A evaluator gives what each metric gives alone, and nothing that cannot be computed."""

import math

import numpy as np
import pytest
import tensorflow as tf

from data.color.colorfulness import colorfulness
from metrics.distribution.feature_statistics import FeatureStatistics
from metrics.distribution.frechet_distance import FrechetDistance
from metrics.distribution.inception_score import InceptionScore
from metrics.distribution.kernel_distance import KernelDistance
from metrics.evaluator import Evaluator
from metrics.image.blotches import Blotches
from metrics.image.hue_coverage import HueCoverage
from metrics.image.pooled_psnr import PooledPSNR
from metrics.image.psnr import PSNR
from metrics.image.ssim import SSIM
from metrics.image_features import ImageFeatures

COUNT = 12


def images(seed):
    return np.random.default_rng(seed).uniform(0, 1, (COUNT, 16, 16, 3)).astype("float32")


def features(seed):
    return np.random.default_rng(seed).normal(size=(COUNT, 5)).astype("float32")


def classes(seed):
    raw = np.random.default_rng(seed).exponential(size=(COUNT, 4))
    return raw / raw.sum(axis=1, keepdims=True)


def seen(seed, scale=1.0, **networks):
    return ImageFeatures(tf.constant(scale * images(seed)), **networks)


def part(batch, start, size):
    return ImageFeatures(*(each if each is None else each[start : start + size] for each in batch))


def judged(true, colored, batch_size=5):
    truth = Evaluator()
    evaluator = Evaluator(truth)
    for start in range(0, COUNT, batch_size):
        batch = part(true, start, batch_size)
        truth.update(batch, batch)
        evaluator.update(part(colored, start, batch_size), batch)
    return evaluator.results()


def judged_alone(colored):
    evaluator = Evaluator(has_truth=False)
    evaluator.update(colored)
    return evaluator.results()


@pytest.mark.parametrize(
    "metric", [PSNR(), PooledPSNR(), SSIM(), Blotches()], ids=lambda each: each.name
)
def test_numbers_are_those_of_the_metrics_alone(metric):
    metric.update_state(images(0), images(1))
    numbers = judged(seen(0), seen(1))
    assert numbers[metric.name] == pytest.approx(float(metric.result()), rel=1e-5)


def test_difference_of_colorfulness_is_of_the_means():
    numbers = judged(seen(0), seen(1, 0.5))
    mean = [np.mean(colorfulness(255.0 * each)) for each in (images(0), 0.5 * images(1))]
    assert numbers["colorfulness"] == pytest.approx(mean[1], rel=1e-4)
    assert numbers["delta_colorfulness"] == pytest.approx(mean[0] - mean[1], rel=1e-4)


def test_hues_are_those_of_the_metric_alone():
    metric = HueCoverage()
    metric.update_state(images(0), 0.5 * images(1))
    coverage = np.asarray(metric.result())
    numbers = judged(seen(0), seen(1, 0.5))
    assert [numbers[f"hue_{45 * hue}"] for hue in range(8)] == pytest.approx(coverage, rel=1e-5)
    assert numbers["least_hue"] == pytest.approx(coverage.min(), rel=1e-5)


def test_hues_that_are_not_there_are_not_judged():
    red = np.broadcast_to(np.array([0.8, 0.2, 0.2], "float32"), (COUNT, 16, 16, 3))
    gray = np.full_like(red, 0.5)
    numbers = judged(ImageFeatures(tf.constant(red)), ImageFeatures(tf.constant(gray)))
    assert numbers["hue_0"] == numbers["least_hue"] == 0.0
    assert [numbers[f"hue_{45 * hue}"] for hue in range(1, 8)] == [None] * 7
    numbers = judged(ImageFeatures(tf.constant(gray)), ImageFeatures(tf.constant(red)))
    assert numbers["least_hue"] is None


def test_features_and_classes_are_judged_where_they_are_given():
    numbers = judged(
        seen(0, features=features(0)), seen(1, features=features(1), classes=classes(1))
    )
    statistics = [FeatureStatistics(), FeatureStatistics()]
    for seed, each in enumerate(statistics):
        each.update(features(seed))
    kernel, score = KernelDistance(), InceptionScore()
    kernel.update(features(0), features(1))
    score.update(classes(1))
    assert numbers["fid"] == pytest.approx(FrechetDistance(*statistics).result())
    assert (numbers["kid"], numbers["kid_deviation"]) == pytest.approx(kernel.result())
    assert numbers["inception_score"] == pytest.approx(score.result()[0])
    assert numbers["inception_score_deviation"] == pytest.approx(score.result()[1])


def test_what_cannot_be_computed_is_none():
    numbers = judged(seen(0), seen(1))
    missing = {name for name, number in numbers.items() if number is None}
    assert missing == {
        *("lpips", "fid", "kid", "kid_deviation"),
        *("inception_score", "inception_score_deviation"),
    }


def test_too_few_images_have_no_distance_and_no_score():
    evaluator = Evaluator(Evaluator())
    true = part(seen(0, features=features(0)), 0, 1)
    evaluator.update(part(seen(1, features=features(1), classes=classes(1)), 0, 1), true)
    assert evaluator.results()["fid"] is None
    assert evaluator.results()["inception_score"] is None


def test_truth_itself_is_infinitely_good():
    truth = Evaluator()
    batch = seen(0, features=features(0))
    truth.update(batch, batch)
    numbers = truth.results()
    assert numbers["psnr"] == numbers["pooled_psnr"] == math.inf
    assert numbers["ssim"] == pytest.approx(1.0, abs=1e-6)
    assert numbers["delta_colorfulness"] == 0.0
    assert numbers["fid"] == pytest.approx(0.0, abs=1e-6)
    assert numbers["kid"] == pytest.approx(0.0, abs=1e-12)


def test_without_truth_colors_and_classes_alone_are_judged():
    numbers = judged_alone(seen(0, features=features(0), classes=classes(0)))
    assert numbers["colorfulness"] == pytest.approx(
        np.mean(colorfulness(255.0 * images(0))), rel=1e-4
    )
    assert numbers["inception_score"] > 1.0
    assert numbers.keys() == {
        "colorfulness",
        "inception_score",
        "inception_score_deviation",
    }


def test_lpips_is_the_mean_of_what_its_network_says():
    class Network:
        def distance(self, true, colored):
            return tf.reduce_mean(tf.abs(true[0] - colored[0]), axis=1)

    evaluator = Evaluator(Evaluator(), lpips=Network())
    values = [tf.constant(features(seed)) for seed in (0, 1)]
    for start in (0, 5, 10):
        true, colored = (
            seen(seed)._replace(lpips_features=[each[start : start + 5]])
            for seed, each in enumerate(values)
        )
        evaluator.update(colored, true)
    expected = np.mean(np.abs(values[0] - values[1]))
    assert evaluator.results()["lpips"] == pytest.approx(expected, rel=1e-5)


def test_without_images_there_is_nothing_to_say():
    with pytest.raises(ValueError, match="no image"):
        Evaluator().results()
