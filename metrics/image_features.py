"""A batch of images with the features that metrics need."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class ImageFeatures(NamedTuple):
    """A batch of images with features that metrics share, each None if it was not computed.

    Attributes:
        rgb1: float32 tensor of shape (batch, height, width, 3), sRGB in [0, 1].
        lpips_features: list of tensors, from `LPIPSNetwork.features`.
        features: float32 array of shape (batch, channels), from `FeatureNetwork`.
        classes: array of shape (batch, classes), probabilities from `FeatureNetwork`.
        lab100: float32 tensor of shape (batch, height, width, 3), CIE Lab.
    """

    rgb1: tf.Tensor
    lpips_features: list[tf.Tensor] | None = None
    features: np.ndarray | None = None
    classes: np.ndarray | None = None
    lab100: tf.Tensor | None = None
