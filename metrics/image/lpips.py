"""Learned perceptual image patch similarity (LPIPS)."""

import os
from typing import Any

import keras
from keras import KerasTensor as Tensor

from losses.lpips_network import LPIPSNetwork
from metrics.image.image_metric import ImageMetric


@keras.saving.register_keras_serializable("colorizer")
class LPIPS(ImageMetric):
    """The mean over images of LPIPS, version 0.1, with AlexNet.

    From 0 for equal images to somewhat above 1; lower is better. The features of AlexNet's five
    convolutions are normalized to unit length at each position. Their squared differences are
    weighted by channel, with weights that were trained on human judgments, averaged over positions
    and summed over the convolutions.

    Args:
        weights: str or path of the .npz file that `LPIPSNetwork` reads. Defaults to `None`, the
            file in Keras' cache, which is made if it is missing.
        name, dtype: as in `keras.metrics.Metric`.

    Raises:
        InputError: the file does not contain such weights, or an image is smaller than 31 px.

    Example:
        metric = LPIPS("lpips_alexnet.npz")
        metric.update_state(true_rgb1, colored_rgb1)
        metric.result()

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, equation 1; the reference program is richzhang/PerceptualSimilarity.
    """

    def __init__(
        self,
        weights: str | os.PathLike | None = None,
        name: str = "lpips",
        dtype: str | None = None,
    ):
        super().__init__(name=name, dtype=dtype)
        self._network = LPIPSNetwork(weights)

    def measure(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        return self._network.distance(*map(self._network.features, (true_rgb1, colored_rgb1)))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self._network.weights}
