"""Inception Score."""

import numpy as np


class InceptionScore:
    """The exponential of the mean divergence between the classes of an image and of all images.

    From 1 to the number of classes; higher is considered better: each image clearly shows one
    class, and all images together show many. The true images are not used, and the score says
    little about images that differ only in color.

    As in the paper, the images are divided into ten splits, and the mean and the standard deviation
    are over the splits. Images are assigned to the splits in turn.

    Args:
        splits: int. Defaults to `10`.

    Example:
        score = InceptionScore()
        score.update(np.full((20, 4), 0.25))
        mean, deviation = score.result()    # 1.0, 0.0

    Reference: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 4.
    """

    def __init__(self, splits: int = 10):
        self.splits = splits
        self.count = 0
        self._sums = self._negative_entropies = None

    def update(self, probabilities: np.ndarray) -> None:
        """Adds class probabilities of shape (batch, classes), whose rows sum to 1."""
        probabilities = np.asarray(probabilities, "float64")
        if self._sums is None:
            self._sums = np.zeros([self.splits, probabilities.shape[1]])
            self._negative_entropies = np.zeros(self.splits)
        parts = (self.count + np.arange(len(probabilities))) % self.splits
        np.add.at(self._sums, parts, probabilities)
        np.add.at(self._negative_entropies, parts, _sum_p_log_p(probabilities))
        self.count += len(probabilities)

    def result(self) -> tuple[float, float]:
        """The mean and the standard deviation over the splits.

        Raises:
            ValueError: there are fewer samples than splits.
        """
        if self.count < self.splits:
            raise ValueError(
                f"an Inception Score over {self.splits} splits needs at least as many samples; "
                f"received {self.count}"
            )
        counts = np.bincount(np.arange(self.count) % self.splits, minlength=self.splits)
        divergences = self._negative_entropies / counts - _sum_p_log_p(self._sums / counts[:, None])
        scores = np.exp(divergences)
        return float(scores.mean()), float(scores.std())


def _sum_p_log_p(probabilities: np.ndarray) -> np.ndarray:
    # 0 log 0 is 0.
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return (probabilities * logarithms).sum(axis=-1)
