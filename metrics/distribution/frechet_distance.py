"""Frechet distance between two sets of features: FID, if they are those of Inception."""

import numpy as np
import scipy.linalg

from metrics.distribution.feature_statistics import FeatureStatistics


class FrechetDistance:
    """The squared Frechet distance between Gaussians with the means and covariances of features.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)). From 0, the value of equal sets, without an upper
    bound; lower is better. It is biased upwards with few samples: values of sets of different sizes
    are not comparable, nor are those of different networks.

    The trace of the root is computed from (C1^(1/2) C2 C1^(1/2))^(1/2), which has the same
    eigenvalues and stays real even if the covariances of few samples are singular.

    Args:
        true: `FeatureStatistics` of the true images. Several distances may share them.
        colored: `FeatureStatistics` of the colored images.

    Example:
        true, colored = FeatureStatistics(), FeatureStatistics()
        true.update(np.random.normal(0.0, 1.0, (64, 8)))
        colored.update(np.random.normal(0.5, 1.0, (64, 8)))
        FrechetDistance(true, colored).result()

    Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", NeurIPS 2017, equation 6; Dowson and Landau 1982.
    """

    def __init__(self, true: FeatureStatistics, colored: FeatureStatistics):
        self._true = true
        self._colored = colored

    def result(self) -> float:
        """The distance between the features that the statistics have received so far.

        Raises:
            ValueError: there are fewer than two samples.
        """
        root = self._true.root_of_covariance
        offset = self._true.mean - self._colored.mean
        first, second = self._true.covariance, self._colored.covariance
        shared = scipy.linalg.eigvalsh(root @ second @ root)
        trace_of_root = np.sqrt(np.maximum(shared, 0.0)).sum()
        distance = offset @ offset + np.trace(first) + np.trace(second) - 2.0 * trace_of_root
        # For equal sets, rounding may leave a small value of either sign.
        return max(0.0, float(distance))
