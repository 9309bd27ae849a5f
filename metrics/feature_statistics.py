"""Mean and covariance of features that come in batches."""

import numpy as np


class FeatureStatistics:
    """Mean and covariance of features, in one pass, in float64, without keeping the features.

    Example:
        statistics = FeatureStatistics()
        statistics.update(features)         # (batch, channels), as often as there are batches
        statistics.mean, statistics.covariance
    """

    def __init__(self):
        self.count = 0
        self._shift = self._sum = self._products = None

    def update(self, features: np.ndarray) -> None:
        """Takes features of shape (batch, channels)."""
        features = np.asarray(features, "float64")
        if self._shift is None:
            # What is summed is near 0, so that the difference of sums below loses nothing.
            self._shift = features.mean(axis=0)
            self._sum = np.zeros_like(self._shift)
            self._products = np.zeros([len(self._shift)] * 2)
        shifted = features - self._shift
        self.count += len(features)
        self._sum += shifted.sum(axis=0)
        self._products += shifted.T @ shifted

    @property
    def mean(self) -> np.ndarray:
        """float64 of shape (channels,)."""
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 of shape (channels, channels), unbiased.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a covariance takes at least 2 samples; received {self.count}")
        correction = np.outer(self._sum, self._sum) / self.count
        return (self._products - correction) / (self.count - 1)
