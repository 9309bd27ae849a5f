"""The Frechet distance agrees with closed forms and with SciPy's matrix square root."""

import numpy as np
import pytest
import scipy.linalg

from metrics.distribution.fid import frechet_distance
from tests.metrics.distribution.samples import samples, statistics_of


def distance_of(first, second):
    return frechet_distance(statistics_of(first), statistics_of(second))


def with_statistics(mean, covariance):
    """Features that have exactly this mean and covariance."""
    mean, covariance = np.asarray(mean, "float64"), np.asarray(covariance, "float64")
    raw = np.random.default_rng(0).normal(size=(100, len(mean)))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T)).T)
    return white @ np.linalg.cholesky(covariance).T + mean


def scipy_distance(first, second):
    root = scipy.linalg.sqrtm(np.cov(first.T) @ np.cov(second.T)).real
    offset = first.mean(axis=0) - second.mean(axis=0)
    return offset @ offset + np.trace(np.cov(first.T) + np.cov(second.T) - 2 * root)


def test_distance_of_isotropic_gaussians_is_the_closed_form():
    # |m1 - m2|^2 + channels (s1 - s2)^2
    first = with_statistics([0, 0, 0], 4.0 * np.eye(3))
    second = with_statistics([1, 2, 2], 9.0 * np.eye(3))
    distance = distance_of(first, second)
    assert distance == pytest.approx(9.0 + 3 * 1.0)


def test_distance_of_gaussians_with_common_axes_is_the_closed_form():
    first = with_statistics([0, 0], np.diag([1.0, 16.0]))
    second = with_statistics([0, 0], np.diag([9.0, 4.0]))
    distance = distance_of(first, second)
    assert distance == pytest.approx((1 - 3) ** 2 + (4 - 2) ** 2)


@pytest.mark.parametrize("seed", range(3))
def test_equals_the_distance_by_the_matrix_square_root_of_scipy(seed):
    first, second = samples(seed), samples(seed + 10)
    distance = distance_of(first, second)
    assert distance == pytest.approx(scipy_distance(first, second), rel=1e-8)


def test_equal_samples_have_a_distance_of_0():
    assert 0.0 <= distance_of(samples(0), samples(0)) < 1e-8


def test_is_never_negative():
    # Rounding errors are larger where covariances are singular.
    few = samples(0, count=40, channels=64)
    assert 0.0 <= distance_of(few, few) < 1e-3


def test_statistics_may_be_shared_and_grow():
    true, colored = statistics_of(samples(0)), statistics_of(samples(1))
    assert frechet_distance(true, colored) == distance_of(samples(0), samples(1))
    true.update(samples(2))
    colored.update(samples(3))
    together = [np.concatenate([samples(seed), samples(seed + 2)]) for seed in (0, 1)]
    assert frechet_distance(true, colored) == pytest.approx(distance_of(*together), rel=1e-10)


def test_fewer_samples_than_channels_have_a_finite_distance():
    first, second = samples(0, count=5), samples(1, count=6)
    assert 0 < distance_of(first, second) < np.inf


def test_batch_size_and_order_do_not_matter():
    first, second = samples(0), samples(1)
    shuffled = np.random.default_rng(0).permutation(first)
    distances = [
        frechet_distance(statistics_of(features, size), statistics_of(second, 33))
        for features, size in ((first, 500), (first, 7), (shuffled, 64))
    ]
    np.testing.assert_allclose(distances, distances[0], rtol=1e-10)
