"""Images as metrics see them."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf


class ImageFeatures(NamedTuple):
    """A batch of images with what several metrics ask of it: None where it was not computed.

    Attributes:
        rgb1: float32 of shape (batch, height, width, 3), sRGB in [0, 1].
        lpips_features: what `LPIPSNetwork.features` gives.
        features: float32 of shape (batch, channels), from `FeatureNetwork`.
        classes: probabilities of shape (batch, classes), from `FeatureNetwork`.
        lab100: float32 of shape (batch, height, width, 3), CIE Lab.
    """

    rgb1: tf.Tensor
    lpips_features: list[tf.Tensor] | None = None
    features: np.ndarray | None = None
    classes: np.ndarray | None = None
    lab100: tf.Tensor | None = None
