"""Inception Score."""

from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor

from metrics.distribution.feature_metric import FeatureMetric, Network


@keras.saving.register_keras_serializable("colorizer")
class InceptionScore(FeatureMetric):
    """The exponential of the mean divergence between the classes of an image and of all images.

    From 1 to the number of classes; higher is considered better: each image clearly shows one
    class, and all images together show many. The true images are not used, and the score says
    little about images that differ only in color.

    As in the paper, the images are divided into ten splits; image i belongs to split i modulo 10.
    `result` returns a dict: `inception_score`, the mean over the splits, and
    `inception_score_deviation`, their standard deviation.

    Args:
        feature_network: as in `FeatureMetric`; it must have classes.
        splits: int. Defaults to `10`.
        name, dtype: as in `keras.metrics.Metric`.

    Example:
        metric = InceptionScore()
        metric.update_with_classes(np.full((20, 4), 0.25))
        metric.result()["inception_score"]          # 1.0

    Reference: Salimans et al., "Improved Techniques for Training GANs", NeurIPS 2016, section 4.
    """

    def __init__(
        self,
        feature_network: Network = None,
        splits: int = 10,
        name: str = "inception_score",
        dtype: str | None = None,
    ):
        self.splits = splits
        super().__init__(feature_network, name, dtype)

    def update_state(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> None:
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1].

        Raises:
            ValueError: the network has no classes.
        """
        _, classes = self.network(colored_rgb1)
        if classes is None:
            raise ValueError(
                "`feature_network` should have classes. Received: "
                f"feature_network={self.network.name}"
            )
        self.update_with_classes(classes)

    def update_with_classes(self, probabilities: np.ndarray) -> None:
        """Updates the metric with class probabilities of shape (batch, classes), of sum 1."""
        probabilities = np.asarray(probabilities, "float64")
        if not self.count:
            self._sums = np.zeros([self.splits, probabilities.shape[1]])
        parts = (self.count + np.arange(len(probabilities))) % self.splits
        np.add.at(self._sums, parts, probabilities)
        np.add.at(self._negative_entropies, parts, _sum_p_log_p(probabilities))
        self.count += len(probabilities)

    def result(self) -> dict[str, float]:
        """The mean and the standard deviation over the splits.

        Raises:
            ValueError: there are fewer images than splits.
        """
        if self.count < self.splits:
            raise ValueError(
                f"an Inception Score over {self.splits} splits needs at least as many samples; "
                f"received {self.count}"
            )
        counts = np.bincount(np.arange(self.count) % self.splits)
        divergences = self._negative_entropies / counts - _sum_p_log_p(self._sums / counts[:, None])
        scores = np.exp(divergences)
        return {self.name: float(scores.mean()), f"{self.name}_deviation": float(scores.std())}

    def reset_state(self) -> None:
        self.count = 0
        # The first update says how many classes there are.
        self._sums = np.zeros([self.splits, 0])
        self._negative_entropies = np.zeros(self.splits)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "splits": self.splits}


def _sum_p_log_p(probabilities: np.ndarray) -> np.ndarray:
    # 0 log 0 is 0.
    logarithms = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return (probabilities * logarithms).sum(axis=-1)
