"""Frechet distance of two sets of features: FID, where they are Inception's."""

import numpy as np
import scipy.linalg

from metrics.feature_statistics import FeatureStatistics


def frechet_distance(true: FeatureStatistics, colored: FeatureStatistics) -> float:
    """The squared Frechet distance of two Gaussians with these means and covariances.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)); 0 for equal sets; lower is better. It grows when
    samples are few: numbers of sets of different sizes do not compare, nor do those of different
    networks.

    The trace of the root is taken as that of (C1^(1/2) C2 C1^(1/2))^(1/2), which has the same
    eigenvalues, and stays real where covariances of few samples are singular.

    Reference: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", NeurIPS 2017, equation 6; Dowson and Landau 1982.
    """
    offset = true.mean - colored.mean
    first, second = true.covariance, colored.covariance
    values, vectors = scipy.linalg.eigh(first)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    shared = scipy.linalg.eigvalsh(root @ second @ root)
    trace_of_root = np.sqrt(np.maximum(shared, 0.0)).sum()
    return float(offset @ offset + np.trace(first) + np.trace(second) - 2.0 * trace_of_root)
