"""Kernel inception distance: like FID, but unbiased, so that few images are enough."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor

from metrics.distribution.feature_metric import FeatureMetric, Network

# As in the paper.
_SUBSETS = 100
_SUBSET_SIZE = 1000


@keras.saving.register_keras_serializable("colorizer")
class KID(FeatureMetric):
    """The unbiased squared maximum mean discrepancy of the true and the colored images' features.

    The kernel is (x y / channels + 1)^3. For samples of the same distribution the value is 0 on
    average and negative as often as positive; lower is better. Because it is unbiased, values of
    small and large sets are comparable.

    Sample i of both sets is the same image, true and colored, so these two resemble each other more
    than samples of independent sets do. Such pairs are excluded from the sum, which would otherwise
    make the distance too low; the true images have a distance of 0 from themselves.

    Features are stored up to a limit: 4,096 of Inception's take 34 MB for each set, and the kernel
    of all their pairs, from which those of the subsets are taken, temporarily takes 134 MB.

    `result` returns a dict: `kid`, the mean over random subsets, and `kid_deviation`, their
    standard deviation.

    Args:
        feature_network: as in `FeatureMetric`.
        limit: int, the number of images to store; later ones are ignored. Defaults to `4096`.
        seed: int, seed for drawing the subsets. Defaults to `0`.
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = KID("features.keras")
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()["kid"]

    Reference: Binkowski et al., "Demystifying MMD GANs", ICLR 2018, section 4; for samples in pairs
    Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, equation 4.
    """

    def __init__(
        self,
        feature_network: Network = None,
        limit: int = 4096,
        seed: int = 0,
        name: str = "kid",
        dtype: str | None = None,
    ):
        self.limit = limit
        self.seed = seed
        super().__init__(feature_network, name, dtype)

    def update_state(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> None:
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self.update_with_features(self.network(true_rgb1)[0], self.network(colored_rgb1)[0])

    def update_with_features(self, true: np.ndarray, colored: np.ndarray) -> None:
        """Updates the metric with two arrays of shape (batch, channels), features of images."""
        room = self.limit - self.count
        if room > 0:
            self._pairs.append(np.stack([true[:room], colored[:room]]).astype("float32"))
            self.count += self._pairs[-1].shape[1]

    def result(self) -> dict[str, float]:
        """The mean and the standard deviation of the distance over random subsets.

        Raises:
            ValueError: there are fewer than two images.
        """
        if self.count < 2:
            raise ValueError(f"a kernel distance needs at least 2 samples; received {self.count}")
        random = np.random.default_rng(self.seed)
        # Half of a small set, because subsets that are the whole set would have no deviation.
        size = max(2, min(_SUBSET_SIZE, self.count // 2))
        subsets = (random.choice(self.count, size, replace=False) for _ in range(_SUBSETS))
        differences = _differences(*np.concatenate(self._pairs, axis=1).astype("float64"))
        sums = [differences[np.ix_(subset, subset)].sum() for subset in subsets]
        values = np.array(sums) / (size * (size - 1))
        return {self.name: float(values.mean()), f"{self.name}_deviation": float(values.std())}

    def reset_state(self) -> None:
        self.count = 0
        self._pairs: list[np.ndarray] = []

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "limit": self.limit, "seed": self.seed}


def _differences(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The summand of each pair of samples: k(x, x') + k(y, y') - k(x, y') - k(x', y)."""
    between = _kernel(x, y)
    differences = _kernel(x, x) + _kernel(y, y) - between - between.T
    np.fill_diagonal(differences, 0.0)
    return differences


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1.0) ** 3
