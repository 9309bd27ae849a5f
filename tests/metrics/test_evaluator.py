"""An evaluator agrees with each single metric, and returns None for what cannot be computed."""

import math

import numpy as np
import pytest
import tensorflow as tf

from data.color.colorfulness import colorfulness
from metrics import KID, PSNR, SSIM, Blotches, Evaluator, HueCoverage, InceptionScore, PooledPSNR
from metrics.distribution.feature_statistics import FeatureStatistics
from metrics.distribution.fid import frechet_distance
from metrics.image_features import ImageFeatures

COUNT = 12


def images(seed):
    return np.random.default_rng(seed).uniform(0, 1, (COUNT, 16, 16, 3)).astype("float32")


def features(seed):
    return np.random.default_rng(seed).normal(size=(COUNT, 5)).astype("float32")


def classes(seed):
    raw = np.random.default_rng(seed).exponential(size=(COUNT, 4))
    return raw / raw.sum(axis=1, keepdims=True)


def image_features(seed, scale=1.0, **networks):
    return ImageFeatures(tf.constant(scale * images(seed)), **networks)


def part(batch, start, size):
    return ImageFeatures(
        *(values if values is None else values[start : start + size] for values in batch)
    )


def evaluated(true, colored, batch_size=5):
    truth = Evaluator()
    evaluator = Evaluator(truth)
    for start in range(0, COUNT, batch_size):
        batch = part(true, start, batch_size)
        truth.update(batch, batch)
        evaluator.update(part(colored, start, batch_size), batch)
    return evaluator.results()


def evaluated_without_truth(colored):
    evaluator = Evaluator(has_truth=False)
    evaluator.update(colored)
    return evaluator.results()


def test_results_are_those_of_the_single_metrics():
    results = evaluated(image_features(0), image_features(1, 0.5))
    for metric in (PSNR(), PooledPSNR(), SSIM(), Blotches(), HueCoverage()):
        metric.update_state(images(0), 0.5 * images(1))
        values = metric.result()
        for name, value in (values if isinstance(values, dict) else {metric.name: values}).items():
            assert results[name] == pytest.approx(float(value), rel=1e-5)


def test_delta_colorfulness_is_the_difference_of_the_means():
    results = evaluated(image_features(0), image_features(1, 0.5))
    mean = [np.mean(colorfulness(255.0 * rgb1)) for rgb1 in (images(0), 0.5 * images(1))]
    assert results["colorfulness"] == pytest.approx(mean[1], rel=1e-4)
    assert results["delta_colorfulness"] == pytest.approx(mean[0] - mean[1], rel=1e-4)


def test_hues_missing_in_the_true_images_are_none():
    red = np.broadcast_to(np.array([0.8, 0.2, 0.2], "float32"), (COUNT, 16, 16, 3))
    gray = np.full_like(red, 0.5)
    results = evaluated(ImageFeatures(tf.constant(red)), ImageFeatures(tf.constant(gray)))
    assert results["hue_0"] == results["least_hue"] == 0.0
    assert [results[f"hue_{45 * hue}"] for hue in range(1, 8)] == [None] * 7
    results = evaluated(ImageFeatures(tf.constant(gray)), ImageFeatures(tf.constant(red)))
    assert results["least_hue"] is None


def test_features_and_classes_are_evaluated_where_there_are_any():
    results = evaluated(
        image_features(0, features=features(0)),
        image_features(1, features=features(1), classes=classes(1)),
    )
    statistics = [FeatureStatistics(), FeatureStatistics()]
    for seed, feature_statistics in enumerate(statistics):
        feature_statistics.update(features(seed))
    kernel, score = KID(), InceptionScore()
    kernel.update_with_features(features(0), features(1))
    score.update_with_classes(classes(1))
    assert results["fid"] == pytest.approx(frechet_distance(*statistics))
    for name, value in (kernel.result() | score.result()).items():
        assert results[name] == pytest.approx(value)


def test_metrics_that_cannot_be_computed_are_none():
    results = evaluated(image_features(0), image_features(1))
    missing = {name for name, number in results.items() if number is None}
    assert missing == {
        *("lpips", "fid", "kid", "kid_deviation"),
        *("inception_score", "inception_score_deviation"),
    }


def test_too_few_images_have_no_distance_and_no_score():
    evaluator = Evaluator(Evaluator())
    true = part(image_features(0, features=features(0)), 0, 1)
    evaluator.update(part(image_features(1, features=features(1), classes=classes(1)), 0, 1), true)
    assert evaluator.results()["fid"] is None
    assert evaluator.results()["inception_score"] is None


def test_true_images_have_no_error():
    truth = Evaluator()
    batch = image_features(0, features=features(0))
    truth.update(batch, batch)
    results = truth.results()
    assert results["psnr"] == results["pooled_psnr"] == math.inf
    assert results["ssim"] == pytest.approx(1.0, abs=1e-6)
    assert results["delta_colorfulness"] == 0.0
    assert results["fid"] == pytest.approx(0.0, abs=1e-6)
    assert results["kid"] == pytest.approx(0.0, abs=1e-12)


def test_without_truth_only_colorfulness_and_classes_are_evaluated():
    results = evaluated_without_truth(image_features(0, features=features(0), classes=classes(0)))
    assert results["colorfulness"] == pytest.approx(
        np.mean(colorfulness(255.0 * images(0))), rel=1e-4
    )
    assert results["inception_score"] > 1.0
    assert results.keys() == {
        "colorfulness",
        "inception_score",
        "inception_score_deviation",
    }


def test_lpips_is_the_mean_of_the_distances_of_its_network():
    class Network:
        def distance(self, true, colored):
            return tf.reduce_mean(tf.abs(true[0] - colored[0]), axis=1)

    evaluator = Evaluator(Evaluator(), lpips=Network())
    lpips_features = [tf.constant(features(seed)) for seed in (0, 1)]
    for start in (0, 5, 10):
        true, colored = (
            image_features(seed)._replace(lpips_features=[layer[start : start + 5]])
            for seed, layer in enumerate(lpips_features)
        )
        evaluator.update(colored, true)
    expected = np.mean(np.abs(lpips_features[0] - lpips_features[1]))
    assert evaluator.results()["lpips"] == pytest.approx(expected, rel=1e-5)


def test_results_without_images_raise_an_error():
    with pytest.raises(ValueError, match="no image"):
        Evaluator().results()
