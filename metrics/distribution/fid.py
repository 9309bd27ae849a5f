"""Frechet inception distance: how much the features of two sets of images differ."""

import keras
import numpy as np
import scipy.linalg
from keras import KerasTensor as Tensor

from metrics.distribution.feature_metric import FeatureMetric, Network
from metrics.distribution.feature_statistics import FeatureStatistics


@keras.saving.register_keras_serializable("colorizer")
class FID(FeatureMetric):
    """The squared Frechet distance between the features of the true and of the colored images.

    From 0, the value of equal sets, without an upper bound; lower is better. It is biased upwards
    with few samples: values of sets of different sizes are not comparable, nor are those of
    different networks. See `frechet_distance`.

    Args:
        feature_network, name, dtype: as in `FeatureMetric`.

    Example:
        metric = FID("features.keras")
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()

    Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", NeurIPS 2017, equation 6.
    """

    def __init__(
        self, feature_network: Network = None, name: str = "fid", dtype: str | None = None
    ):
        super().__init__(feature_network, name, dtype)

    def update_state(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> None:
        """Updates the metric with two tensors of (batch, height, width, 3), sRGB in [0, 1]."""
        self._true.update(self.network(true_rgb1)[0])
        self._colored.update(self.network(colored_rgb1)[0])

    def result(self) -> float:
        """The distance.

        Raises:
            ValueError: there are fewer than two images.
        """
        return frechet_distance(self._true, self._colored)

    def reset_state(self) -> None:
        self._true, self._colored = FeatureStatistics(), FeatureStatistics()


def frechet_distance(true: FeatureStatistics, colored: FeatureStatistics) -> float:
    """Computes the squared Frechet distance between Gaussians with these means and covariances.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). The trace of the root is computed from
    (C1^(1/2) C2 C1^(1/2))^(1/2), which has the same eigenvalues and stays real even if the
    covariances of few samples are singular.

    Args:
        true, colored: `FeatureStatistics`. Several distances may share one.

    Raises:
        ValueError: there are fewer than two samples.

    Example:
        true, colored = FeatureStatistics(), FeatureStatistics()
        true.update(np.random.normal(0.0, 1.0, (64, 8)))
        colored.update(np.random.normal(0.5, 1.0, (64, 8)))
        frechet_distance(true, colored)

    Reference: Dowson and Landau, "The Frechet distance between multivariate normal
    distributions", Journal of Multivariate Analysis 1982.
    """
    root = true.root_of_covariance
    offset = true.mean - colored.mean
    shared = scipy.linalg.eigvalsh(root @ colored.covariance @ root)
    trace_of_root = np.sqrt(np.maximum(shared, 0.0)).sum()
    traces = np.trace(true.covariance) + np.trace(colored.covariance)
    # For equal sets, rounding may leave a small value of either sign.
    return max(0.0, float(offset @ offset + traces - 2.0 * trace_of_root))
