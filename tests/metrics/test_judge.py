"""A judge gives what each metric gives alone, and nothing that cannot be computed."""

import math

import numpy as np
import pytest

from data.colorfulness import colorfulness
from metrics.feature_statistics import FeatureStatistics
from metrics.frechet_distance import frechet_distance
from metrics.inception_score import InceptionScore
from metrics.judge import Judge
from metrics.kernel_distance import KernelDistance
from metrics.pooled_psnr import PooledPSNR
from metrics.psnr import PSNR
from metrics.ssim import SSIM

COUNT = 12


def pictures(seed):
    return np.random.default_rng(seed).uniform(0, 1, (COUNT, 16, 16, 3)).astype("float32")


def features(seed):
    return np.random.default_rng(seed).normal(size=(COUNT, 5)).astype("float32")


def classes(seed):
    raw = np.random.default_rng(seed).exponential(size=(COUNT, 4))
    return raw / raw.sum(axis=1, keepdims=True)


def judged(*arrays, batch_size=5):
    judge = Judge()
    for start in range(0, COUNT, batch_size):
        judge.update(*(array[start : start + batch_size] for array in arrays))
    return judge.results()


@pytest.mark.parametrize("metric", [PSNR(), PooledPSNR(), SSIM()], ids=lambda each: each.name)
def test_numbers_are_those_of_the_metrics_alone(metric):
    metric.update_state(pictures(0), pictures(1))
    numbers = judged(pictures(0), pictures(1))
    assert numbers[metric.name] == pytest.approx(float(metric.result()), rel=1e-5)


def test_difference_of_colorfulness_is_of_the_means():
    numbers = judged(pictures(0), 0.5 * pictures(1))
    mean = [np.mean(colorfulness(255.0 * each)) for each in (pictures(0), 0.5 * pictures(1))]
    assert numbers["colorfulness"] == pytest.approx(mean[1], rel=1e-4)
    assert numbers["delta_colorfulness"] == pytest.approx(mean[0] - mean[1], rel=1e-4)


def test_features_and_classes_are_judged_where_they_are_given():
    numbers = judged(pictures(0), pictures(1), features(0), features(1), classes(1))
    statistics = [FeatureStatistics(), FeatureStatistics()]
    for seed, each in enumerate(statistics):
        each.update(features(seed))
    kernel, score = KernelDistance(), InceptionScore()
    kernel.update(features(0), features(1))
    score.update(classes(1))
    assert numbers["fid"] == pytest.approx(frechet_distance(*statistics))
    assert (numbers["kid"], numbers["kid_deviation"]) == pytest.approx(kernel.result())
    assert numbers["inception_score"] == pytest.approx(score.result()[0])
    assert numbers["inception_score_deviation"] == pytest.approx(score.result()[1])


def test_what_cannot_be_computed_is_none():
    numbers = judged(pictures(0), pictures(1))
    missing = {name for name, number in numbers.items() if number is None}
    assert missing == {
        *("lpips", "fid", "kid", "kid_deviation"),
        *("inception_score", "inception_score_deviation"),
    }


def test_too_few_pictures_have_no_distance_and_no_score():
    judge = Judge()
    judge.update(*(array[:1] for array in (pictures(0), pictures(1), features(0), features(1))))
    assert judge.results()["fid"] is None
    assert judge.results()["inception_score"] is None


def test_truth_itself_is_infinitely_good():
    numbers = judged(pictures(0), pictures(0), features(0), features(0))
    assert numbers["psnr"] == numbers["pooled_psnr"] == math.inf
    assert numbers["ssim"] == pytest.approx(1.0, abs=1e-6)
    assert numbers["delta_colorfulness"] == 0.0
    assert numbers["fid"] == pytest.approx(0.0, abs=1e-6)


def test_without_pictures_there_is_nothing_to_say():
    with pytest.raises(ValueError, match="no picture"):
        Judge().results()
