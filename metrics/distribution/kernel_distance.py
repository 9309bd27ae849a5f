"""Kernel distance of two sets of features: KID, where they are Inception's."""

import numpy as np

# As in the paper.
_SUBSETS = 100
_SUBSET_SIZE = 1000


class KernelDistance:
    """The squared maximum mean discrepancy of two sets of features, unbiased, with its deviation.

    The kernel is (x y / channels + 1)^3. 0 on average for samples of one distribution, and negative
    as often as not; lower is better. Because it is unbiased, small sets compare with large ones.

    Sample i of one side and sample i of the other are the same image, colored and true, and so
    resemble each other more than two images of two sets do. Such pairs are left out of the sum,
    or the distance would be too low; the images themselves have a distance of 0.

    Features are kept up to a limit: 4,096 of Inception's are 34 MB for each side, and the kernels
    of all pairs of them, from which those of the subsets are taken, 134 MB for a moment.

    Args:
        limit: int, how many samples of each side are kept, the first ones.
        seed: int, of the draw of subsets.

    Example:
        distance = KernelDistance()
        distance.update(true_features, colored_features)
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
        """Takes two arrays of shape (batch, channels)."""
        room = self.limit - self.count
        if room > 0:
            self._true.append(np.asarray(true[:room], "float32"))
            self._colored.append(np.asarray(colored[:room], "float32"))
            self.count += len(self._true[-1])

    def result(self) -> tuple[float, float]:
        """The mean over random subsets, and the standard deviation of it as of one subset.

        Raises:
            ValueError: there are fewer than two samples.
        """
        if self.count < 2:
            raise ValueError(f"a kernel distance takes at least 2 samples; received {self.count}")
        true, colored = np.concatenate(self._true), np.concatenate(self._colored)
        random = np.random.default_rng(self.seed)
        # Half of a small set: all of it would have no deviation.
        size = max(2, min(_SUBSET_SIZE, self.count // 2))
        subsets = (random.choice(self.count, size, replace=False) for _ in range(_SUBSETS))
        differences = _differences(true.astype("float64"), colored.astype("float64"))
        values = [differences[np.ix_(subset, subset)].sum() for subset in subsets]
        values = np.array(values) / (size * (size - 1))
        return float(np.mean(values)), float(np.std(values))


def _differences(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What each pair of samples adds to the distance: k(x, x') + k(y, y') - k(x, y') - k(x', y)."""
    between = _kernel(x, y)
    differences = _kernel(x, x) + _kernel(y, y) - between - between.T
    np.fill_diagonal(differences, 0.0)
    return differences


def _kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return (x @ y.T / x.shape[1] + 1.0) ** 3
