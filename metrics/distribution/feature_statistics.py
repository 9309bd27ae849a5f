"""Mean and covariance of features that arrive in batches."""

import numpy as np
import scipy.linalg

# Rows of a matrix product. The result is a large matrix: a product for every small batch would
# take ten times as long.
_ROWS = 256


class FeatureStatistics:
    """Computes the mean and covariance of features in one pass, in float64, without storing them.

    Attributes:
        count: int, the number of samples so far.

    Example:
        statistics = FeatureStatistics()
        for _ in range(3):
            statistics.update(np.random.normal(size=(16, 8)))
        statistics.mean, statistics.covariance
    """

    def __init__(self):
        self.count = 0
        self._pending: list[np.ndarray] = []
        self._root: np.ndarray | None = None
        # Made by the first update, which says how many channels there are.
        self._shift: np.ndarray
        self._sum: np.ndarray
        self._products: np.ndarray

    def update(self, features: np.ndarray) -> None:
        """Adds features of shape (batch, channels)."""
        features = np.asarray(features, "float64")
        if not self.count:
            # Sums of values near 0, whose difference in `covariance` loses no precision.
            self._shift = features.mean(axis=0)
            self._sum = np.zeros_like(self._shift)
            self._products = np.zeros([len(self._shift)] * 2)
        self._root = None
        self.count += len(features)
        self._pending.append(features - self._shift)
        if sum(map(len, self._pending)) >= _ROWS:
            self._add_pending()

    @property
    def mean(self) -> np.ndarray:
        """float64 of shape (channels,)."""
        self._add_pending()
        return self._shift + self._sum / self.count

    @property
    def covariance(self) -> np.ndarray:
        """float64 of shape (channels, channels), unbiased.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 samples; received {self.count}")
        self._add_pending()
        correction = np.outer(self._sum, self._sum) / self.count
        return (self._products - correction) / (self.count - 1)

    @property
    def root_of_covariance(self) -> np.ndarray:
        """The symmetric square root of the covariance, cached until the next `update`.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self._root is None:
            values, vectors = scipy.linalg.eigh(self.covariance)
            self._root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
        return self._root

    def _add_pending(self) -> None:
        if self._pending:
            shifted = np.concatenate(self._pending)
            self._pending.clear()
            self._sum += shifted.sum(axis=0)
            self._products += shifted.T @ shifted
