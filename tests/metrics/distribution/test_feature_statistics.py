"""Mean and covariance are those of NumPy, however the features arrive."""

import numpy as np
import pytest

from tests.metrics.distribution.samples import samples, statistics_of


def test_mean_and_covariance_are_those_of_numpy():
    features = samples(0)
    statistics = statistics_of(features, batch_size=7)
    np.testing.assert_allclose(statistics.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(statistics.covariance, np.cov(features.T), rtol=1e-10)


def test_large_means_do_not_spoil_small_covariances():
    features = samples(0) * 1e-3 + 1e6
    np.testing.assert_allclose(
        statistics_of(features, 10).covariance, np.cov(features.T), rtol=1e-6
    )


def test_one_sample_has_no_covariance():
    with pytest.raises(ValueError, match="at least 2 samples; received 1"):
        _ = statistics_of(samples(0, count=1)).covariance
