"""Mean and covariance of features that come in batches."""

import numpy as np
import scipy.linalg

# Rows that are multiplied at once. The product is a large matrix: one for every batch of a few
# images would take ten times as long.
_ROWS = 256


class FeatureStatistics:
    """Mean and covariance of features, in one pass, in float64, without keeping the features.

    Attributes:
        count: int, how many samples there were.

    Example:
        statistics = FeatureStatistics()
        statistics.update(features)         # (batch, channels), as often as there are batches
        statistics.mean, statistics.covariance
    """

    def __init__(self):
        self.count = 0
        self._waiting: list[np.ndarray] = []
        self._shift = self._sum = self._products = self._root = None

    def update(self, features: np.ndarray) -> None:
        """Takes features of shape (batch, channels)."""
        features = np.asarray(features, "float64")
        if self._shift is None:
            # What is summed is near 0, so that the difference of sums below loses nothing.
            self._shift = features.mean(axis=0)
            self._sum = np.zeros_like(self._shift)
            self._products = np.zeros([len(self._shift)] * 2)
        self._root = None
        self.count += len(features)
        self._waiting.append(features - self._shift)
        if sum(map(len, self._waiting)) >= _ROWS:
            self._add_waiting()

    @property
    def mean(self) -> np.ndarray:
        """float64 of shape (channels,)."""
        self._add_waiting()
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 of shape (channels, channels), unbiased.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a covariance takes at least 2 samples; received {self.count}")
        self._add_waiting()
        correction = np.outer(self._sum, self._sum) / self.count
        return (self._products - correction) / (self.count - 1)

    @property
    def root_of_covariance(self) -> np.ndarray:
        """The symmetric square root of the covariance, computed once.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self._root is None:
            values, vectors = scipy.linalg.eigh(self.covariance)
            self._root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return self._root

    def _add_waiting(self) -> None:
        if self._waiting:
            shifted = np.concatenate(self._waiting)
            self._waiting.clear()
            self._sum += shifted.sum(axis=0)
            self._products += shifted.T @ shifted
