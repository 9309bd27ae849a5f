"""The network of LPIPS: features of images, and the distance of two of them."""

import os
import zipfile

import keras
import numpy as np
from keras import ops

from errors import InputError, first_line

# AlexNet's convolutions: filters, side of the kernel, stride, and whether a pool stands before.
_CONVOLUTIONS = ((64, 11, 4, False), (192, 5, 1, True), (384, 3, 1, True), (256, 3, 1, False)) + (
    (256, 3, 1, False),
)

# What the reference takes off and divides by, of RGB in [-1, 1].
_SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
_SCALE = np.array([0.458, 0.448, 0.450], "float32")

# AlexNet's first convolution and its two pools leave nothing of a smaller one.
SMALLEST_SIDE = 31


class LPIPSNetwork:
    """AlexNet with the channel weights of LPIPS, version 0.1.

    Args:
        weights: path of an .npz with AlexNet's `convN_w`, (height, width, in, out), and `convN_b`
            for N from 1 to 5, and the weights of the channels `linN`, N from 0 to 4.
        dtype: str or `keras.DTypePolicy`, of the convolutions. Float32 by default: the metric is
            differences of near numbers. A loss may be less exact, and faster.

    Raises:
        InputError: these are not such weights.

    Example:
        network = LPIPSNetwork("lpips_alexnet_v0.1.npz")
        network.distance(network.features(true_rgb1), network.features(colored_rgb1))

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, equation 1; the reference program is richzhang/PerceptualSimilarity.
    """

    def __init__(self, weights: str | os.PathLike, dtype: str | keras.DTypePolicy = "float32"):
        self._network = _alexnet_trunk(dtype)
        self._channel_weights = _load(self._network, weights)

    def features(self, rgb1) -> list:
        """What the five convolutions see, of unit length at each place.

        Args:
            rgb1: tensor of shape (batch, height, width, 3), sRGB in [0, 1], no side below 31. What
                is learned from may leave [0, 1].

        Returns:
            Five float32 tensors of shape (batch, height, width, channels).

        Raises:
            InputError: the images are too small.
        """
        if min(rgb1.shape[1:3]) < SMALLEST_SIDE:
            raise InputError(
                f"LPIPS takes images of at least {SMALLEST_SIDE} px; received "
                f"{rgb1.shape[2]} x {rgb1.shape[1]}"
            )
        seen = (2.0 * ops.convert_to_tensor(rgb1) - 1.0 - _SHIFT) / _SCALE
        return [_unit_length(each) for each in self._network(seen, training=False)]

    def distance(self, true_features, colored_features):
        """The distance of each image, float32 of shape (batch,), from what `features` gives."""
        distance = 0.0
        features = zip(self._channel_weights, true_features, colored_features, strict=True)
        for weights, true, colored in features:
            difference = ops.square(true - colored)
            distance += ops.mean(ops.sum(difference * weights, axis=-1), axis=(1, 2))
        return distance


def _unit_length(features):
    features = ops.cast(features, "float32")
    # The root of nothing has no gradient.
    squares = ops.maximum(ops.sum(ops.square(features), axis=-1, keepdims=True), 1e-24)
    return features / (ops.sqrt(squares) + 1e-10)


def _alexnet_trunk(dtype: str | keras.DTypePolicy) -> keras.Model:
    images = keras.Input((None, None, 3), dtype="float32")
    outputs, features = [], images
    for number, (filters, side, stride, is_pooled) in enumerate(_CONVOLUTIONS, start=1):
        if is_pooled:
            features = keras.layers.MaxPooling2D(3, 2, dtype=dtype)(features)
        border = 2 if side > 3 else 1
        features = keras.layers.ZeroPadding2D(border, dtype=dtype)(features)
        convolution = keras.layers.Conv2D(
            filters, side, stride, activation="relu", name=f"conv{number}", dtype=dtype
        )
        features = convolution(features)
        outputs.append(features)
    return keras.Model(images, outputs, name="alexnet", trainable=False)


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
            f"{path}: there is no such file; give the weights of LPIPS with AlexNet, an .npz, with "
            "--lpips_weights PATH"
        ) from error
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path}: these are not the weights of LPIPS with AlexNet "
            f"({first_line(error)}); give an .npz of them with --lpips_weights PATH"
        ) from error
