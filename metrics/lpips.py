"""Learned perceptual distance of two pictures."""

import os
import zipfile

import keras
import numpy as np
from keras import ops

from errors import InputError, first_line
from metrics.picture_mean import PictureMean

# AlexNet's convolutions: filters, side of the kernel, stride, and whether a pool stands before.
_CONVOLUTIONS = ((64, 11, 4, False), (192, 5, 1, True), (384, 3, 1, True), (256, 3, 1, False)) + (
    (256, 3, 1, False),
)

# What the reference takes off and divides by, of RGB in [-1, 1].
_SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
_SCALE = np.array([0.458, 0.448, 0.450], "float32")


class LPIPS(PictureMean):
    """The mean over pictures of LPIPS, version 0.1, with AlexNet.

    From 0 for equal pictures to somewhat above 1; lower is better. The features of AlexNet's five
    convolutions are normalized to unit length at each place, and their squared differences weighed
    channel by channel as people's judgments taught, averaged over places and added up.

    Args:
        weights: path of an .npz with AlexNet's `convN_w`, (height, width, in, out), and `convN_b`
            for N from 1 to 5, and the weights of the channels `linN`, N from 0 to 4.
        name: str. Defaults to `lpips`.
        **kwargs: those of `keras.metrics.Metric`.

    Raises:
        InputError: these are not such weights.

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, equation 1; the reference program is richzhang/PerceptualSimilarity.
    """

    def __init__(self, weights: str | os.PathLike, name="lpips", **kwargs):
        super().__init__(name=name, **kwargs)
        network = _alexnet_trunk()
        self._channel_weights = _load(network, weights)
        # Not as an attribute: Keras would save it with every snapshot of the model that is judged.
        self._features = lambda rgb1: network((2.0 * rgb1 - 1.0 - _SHIFT) / _SCALE, training=False)

    def measure(self, true_rgb1, colored_rgb1):
        distance = 0.0
        features = zip(self._features(true_rgb1), self._features(colored_rgb1), strict=True)
        for weights, (true, colored) in zip(self._channel_weights, features, strict=True):
            difference = ops.square(_unit_length(true) - _unit_length(colored))
            distance += ops.mean(ops.sum(difference * weights, axis=-1), axis=(1, 2))
        return distance


def _unit_length(features):
    return features / (ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True)) + 1e-10)


def _alexnet_trunk() -> keras.Model:
    # Distances of features are differences of near numbers: not in half precision.
    pictures = keras.Input((None, None, 3), dtype="float32")
    outputs, features = [], pictures
    for number, (filters, side, stride, is_pooled) in enumerate(_CONVOLUTIONS, start=1):
        if is_pooled:
            features = keras.layers.MaxPooling2D(3, 2, dtype="float32")(features)
        border = 2 if side > 3 else 1
        features = keras.layers.ZeroPadding2D(border, dtype="float32")(features)
        convolution = keras.layers.Conv2D(
            filters, side, stride, activation="relu", name=f"conv{number}", dtype="float32"
        )
        features = convolution(features)
        outputs.append(features)
    return keras.Model(pictures, outputs, name="alexnet", trainable=False)


def _load(network: keras.Model, path: str | os.PathLike) -> list[np.ndarray]:
    """Gives the network its weights, and returns those of the channels."""
    try:
        with np.load(path) as file:
            for number in range(1, len(_CONVOLUTIONS) + 1):
                layer = network.get_layer(f"conv{number}")
                layer.set_weights([file[f"conv{number}_w"], file[f"conv{number}_b"]])
            return [file[f"lin{number}"].reshape(-1) for number in range(len(_CONVOLUTIONS))]
    except FileNotFoundError as error:
        raise InputError(
            f"--lpips_weights {path}: there is no such file; give the weights of LPIPS with "
            "AlexNet, an .npz"
        ) from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"--lpips_weights {path}: these are not the weights of LPIPS with AlexNet "
            f"({first_line(error)}); give an .npz of them"
        ) from error
