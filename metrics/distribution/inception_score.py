"""Inception Score."""

import numpy as np


class InceptionScore:
    """exp of the mean divergence of each image's classes from those of all, with its deviation.

    From 1 to the number of classes; higher is taken for better: each image shows one thing
    clearly, and all together show many. It knows nothing of the truth; on images that differ in
    color alone it says little.

    As in the paper the set is split in ten, and mean and deviation are over the parts. Images
    are dealt to them in turn.

    Args:
        splits: int.

    Example:
        score = InceptionScore()
        score.update(probabilities)         # (batch, classes), rows that add up to 1
        mean, deviation = score.result()

    Reference: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 4.
    """

    def __init__(self, splits: int = 10):
        self.splits = splits
        self.count = 0
        self._sums = self._negative_entropies = None

    def update(self, probabilities: np.ndarray) -> None:
        """Takes probabilities of shape (batch, classes)."""
        probabilities = np.asarray(probabilities, "float64")
        if self._sums is None:
            self._sums = np.zeros([self.splits, probabilities.shape[1]])
            self._negative_entropies = np.zeros(self.splits)
        parts = (self.count + np.arange(len(probabilities))) % self.splits
        np.add.at(self._sums, parts, probabilities)
        np.add.at(self._negative_entropies, parts, _sum_p_log_p(probabilities))
        self.count += len(probabilities)

    def result(self) -> tuple[float, float]:
        """The mean over the parts, and the standard deviation.

        Raises:
            ValueError: there are fewer samples than parts.
        """
        if self.count < self.splits:
            raise ValueError(
                f"an Inception Score of {self.splits} parts takes as many samples; received "
                f"{self.count}"
            )
        counts = np.bincount(np.arange(self.count) % self.splits, minlength=self.splits)
        divergences = self._negative_entropies / counts - _sum_p_log_p(self._sums / counts[:, None])
        scores = np.exp(divergences)
        return float(scores.mean()), float(scores.std())


def _sum_p_log_p(probabilities: np.ndarray) -> np.ndarray:
    # 0 log 0 is 0.
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return (probabilities * logarithms).sum(axis=-1)
