"""Pictures as the networks of metrics see them."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class SeenPictures(NamedTuple):
    """A batch of pictures with what networks see in it: None where there is no such network.

    Attributes:
        rgb1: float32 of shape (batch, height, width, 3), sRGB in [0, 1].
        lpips_features: what `LPIPSNetwork.features` gives.
        features: float32 of shape (batch, channels), from `FeatureNetwork`.
        classes: probabilities of shape (batch, classes), from `FeatureNetwork`.
    """

    rgb1: tf.Tensor
    lpips_features: list[tf.Tensor] | None = None
    features: np.ndarray | None = None
    classes: np.ndarray | None = None
