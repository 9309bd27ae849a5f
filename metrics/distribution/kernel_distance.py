"""Kernel distance between two sets of features: KID, if they are those of Inception."""

import numpy as np

# As in the paper.
_SUBSETS = 100
_SUBSET_SIZE = 1000


class KernelDistance:
    """The unbiased squared maximum mean discrepancy between two sets of features.

    The kernel is (x y / channels + 1)^3. For samples of the same distribution the value is 0 on
    average and negative as often as positive; lower is better. Because it is unbiased, values of
    small and large sets are comparable.

    Sample i of both sets is the same image, true and colored, so these two resemble each other more
    than samples of independent sets do. Such pairs are excluded from the sum, which would otherwise
    make the distance too low; the true images have a distance of 0 from themselves.

    Features are stored up to a limit: 4,096 of Inception's take 34 MB for each set, and the kernel
    of all their pairs, from which those of the subsets are taken, temporarily takes 134 MB.

    Args:
        limit: int, the number of samples of each set to store; later ones are ignored. Defaults to
            `4096`.
        seed: int, seed for drawing the subsets. Defaults to `0`.

    Example:
        distance = KernelDistance()
        true_features = np.random.normal(0.0, 1.0, (64, 8))
        distance.update(true_features, true_features + np.random.normal(0.5, 1.0, (64, 8)))
        mean, deviation = distance.result()

    Reference: Binkowski et al., "Demystifying MMD GANs", ICLR 2018, section 4; for samples in pairs
    Gretton et al., "A Kernel Two-Sample Test", JMLR 2012, equation 4.
    """

    def __init__(self, limit: int = 4096, seed: int = 0):
        self.limit = limit
        self.seed = seed
        self._true: list[np.ndarray] = []
        self._colored: list[np.ndarray] = []
        self.count = 0

    def update(self, true: np.ndarray, colored: np.ndarray) -> None:
        """Adds two arrays of shape (batch, channels), features of the same images."""
        room = self.limit - self.count
        if room > 0:
            self._true.append(np.asarray(true[:room], "float32"))
            self._colored.append(np.asarray(colored[:room], "float32"))
            self.count += len(self._true[-1])

    def result(self) -> tuple[float, float]:
        """The mean and the standard deviation of the distance over random subsets.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a kernel distance needs at least 2 samples; received {self.count}")
        true, colored = np.concatenate(self._true), np.concatenate(self._colored)
        random = np.random.default_rng(self.seed)
        # Half of a small set, because subsets that are the whole set would have no deviation.
        size = max(2, min(_SUBSET_SIZE, self.count // 2))
        subsets = (random.choice(self.count, size, replace=False) for _ in range(_SUBSETS))
        differences = _differences(true.astype("float64"), colored.astype("float64"))
        values = [differences[np.ix_(subset, subset)].sum() for subset in subsets]
        values = np.array(values) / (size * (size - 1))
        return float(np.mean(values)), float(np.std(values))


def _differences(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The summand of each pair of samples: k(x, x') + k(y, y') - k(x, y') - k(x', y)."""
    between = _kernel(x, y)
    differences = _kernel(x, x) + _kernel(y, y) - between - between.T
    np.fill_diagonal(differences, 0.0)
    return differences


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1.0) ** 3
