"""Learned perceptual distance of two images."""

import os

from losses.lpips_network import LPIPSNetwork
from metrics.image.image_metric import ImageMetric


class LPIPS(ImageMetric):
    """The mean over images of LPIPS, version 0.1, with AlexNet.

    From 0 for equal images to somewhat above 1; lower is better. The features of AlexNet's five
    convolutions are normalized to unit length at each place, and their squared differences weighed
    channel by channel as people's judgments taught, averaged over places and added up.

    Args:
        weights: path of the .npz that `LPIPSNetwork` reads.
        name: str. Defaults to `lpips`.
        **kwargs: those of `keras.metrics.Metric`.

    Raises:
        InputError: these are not such weights; or, of an image, it is smaller than 31 px.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, equation 1; the reference program is richzhang/PerceptualSimilarity.
    """

    def __init__(self, weights: str | os.PathLike, name="lpips", **kwargs):
        super().__init__(name=name, **kwargs)
        self.weights_path = str(weights)
        network = LPIPSNetwork(weights)
        # Not as an attribute: Keras would save it with every checkpoint of the model that is
        # judged.
        self._distance = lambda true_rgb1, colored_rgb1: network.distance(
            network.features(true_rgb1), network.features(colored_rgb1)
        )

    def measure(self, true_rgb1, colored_rgb1):
        return self._distance(true_rgb1, colored_rgb1)

    def get_config(self):
        return {**super().get_config(), "weights": self.weights_path}
