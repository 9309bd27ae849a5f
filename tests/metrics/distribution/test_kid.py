"""The kernel distance is the unbiased estimate of the paper."""

import itertools

import numpy as np
import pytest

from metrics import KID


def samples(seed, count=40, channels=5, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1.0, (count, channels))


def distance_of(true, colored, batch_size=None, **options):
    metric = KID(**options)
    step = batch_size or len(true)
    for start in range(0, len(true), step):
        metric.update_with_features(true[start : start + step], colored[start : start + step])
    result = metric.result()
    return result["kid"], result["kid_deviation"]


def by_hand(x, y):
    """Equation 4 of Gretton et al. (2012), computed pair by pair."""

    def kernel(a, b):
        return (a @ b / len(a) + 1) ** 3

    count = len(x)
    pairs = list(itertools.permutations(range(count), 2))
    values = [
        kernel(x[i], x[j]) + kernel(y[i], y[j]) - kernel(x[i], y[j]) - kernel(x[j], y[i])
        for i, j in pairs
    ]
    return np.mean(values)


def test_two_samples_give_the_value_of_the_equation():
    x, y = samples(0, 2).astype("float32"), samples(1, 2, shift=0.5).astype("float32")
    mean, deviation = distance_of(x, y)
    assert mean == pytest.approx(by_hand(x.astype("float64"), y.astype("float64")), rel=1e-6)
    assert deviation == pytest.approx(0.0, abs=1e-9)


def test_subsets_give_the_value_of_all_samples_on_average():
    x, y = samples(0, 60), samples(1, 60, shift=1.0)
    mean, deviation = distance_of(x, y)
    assert abs(mean - by_hand(x, y)) < 3 * deviation / np.sqrt(100)


def test_is_unbiased():
    values = [distance_of(samples(seed), samples(seed + 1000))[0] for seed in range(60)]
    assert min(values) < 0 < max(values)
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_is_unbiased_for_two_versions_of_the_same_images():
    # Half of each image is the same in both sets, and the other halves have one distribution.
    values = []
    for seed in range(60):
        same = samples(seed + 2000)
        values.append(distance_of(same + samples(seed), same + samples(seed + 1000))[0])
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_images_have_no_distance_from_themselves():
    mean, deviation = distance_of(samples(0), samples(0))
    assert abs(mean) < 1e-12
    assert deviation < 1e-12


def test_batch_size_does_not_matter():
    x, y = samples(0), samples(1)
    assert distance_of(x, y, batch_size=7) == pytest.approx(distance_of(x, y))


def test_large_sets_have_a_deviation():
    mean, deviation = distance_of(samples(0, 1500), samples(1, 1500, shift=1.0))
    assert 0 < deviation < mean


def test_samples_above_the_limit_are_ignored():
    x, y = samples(0, 50), samples(1, 50)
    assert distance_of(x, y, 20, limit=30) == pytest.approx(distance_of(x[:30], y[:30]))


def test_one_sample_has_no_distance():
    with pytest.raises(ValueError, match="at least 2 samples; received 1"):
        distance_of(samples(0, 1), samples(1, 1))
