"""The Inception Score agrees with closed forms."""

import numpy as np
import pytest

from metrics import InceptionScore


def score_of(probabilities, splits=10, batch_size=None):
    metric = InceptionScore(splits=splits)
    step = batch_size or len(probabilities)
    for start in range(0, len(probabilities), step):
        metric.update_with_classes(probabilities[start : start + step])
    result = metric.result()
    return result["inception_score"], result["inception_score_deviation"]


def random_probabilities(count=200, classes=7):
    raw = np.random.default_rng(0).exponential(size=(count, classes))
    return raw / raw.sum(axis=1, keepdims=True)


def test_score_of_certain_and_varied_images_is_the_number_of_classes():
    # All four classes are equally frequent in each split.
    probabilities = np.eye(4)[np.arange(80) // 10 % 4]
    assert score_of(probabilities) == pytest.approx((4.0, 0.0))


def test_score_of_certain_images_of_one_class_is_1():
    assert score_of(np.eye(4)[np.zeros(40, int)]) == pytest.approx((1.0, 0.0))


def test_score_of_uncertain_images_is_1():
    assert score_of(np.full((40, 4), 0.25)) == pytest.approx((1.0, 0.0))


def test_is_the_exponential_of_the_mean_divergence():
    probabilities = random_probabilities()
    scores = []
    for first in range(10):
        split = probabilities[first::10]
        divergences = (split * np.log(split / split.mean(axis=0))).sum(axis=1)
        scores.append(np.exp(divergences.mean()))
    assert score_of(probabilities) == pytest.approx((np.mean(scores), np.std(scores)))


def test_batch_size_does_not_matter():
    probabilities = random_probabilities()
    assert score_of(probabilities, batch_size=7) == pytest.approx(score_of(probabilities))


def test_splits_may_differ_by_one_image():
    probabilities = random_probabilities(count=23)
    splits = [probabilities[first::10] for first in range(10)]
    expected = np.mean(
        [np.exp((p * np.log(p / p.mean(axis=0))).sum(axis=1).mean()) for p in splits]
    )
    assert score_of(probabilities)[0] == pytest.approx(expected)


def test_fewer_samples_than_splits_are_rejected():
    with pytest.raises(ValueError, match="10 splits needs at least as many samples; received 9"):
        score_of(random_probabilities(count=9))
