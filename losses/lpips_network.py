"""The network of LPIPS: the features of images, and the distance between two sets of them."""

import os
from typing import Any

import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from data.atomic import write_beside
from data.keras_cache import in_keras_cache
from data.torch_file import read_state_dict
from errors import InputError
from losses.pretrained import download, reading

# AlexNet's convolutions: the index in torchvision's network, filters, kernel size, stride, and
# whether a pooling comes before it.
_CONVOLUTIONS = (
    *((0, 64, 11, 4, False), (3, 192, 5, 1, True), (6, 384, 3, 1, True)),
    *((8, 256, 3, 1, False), (10, 256, 3, 1, False)),
)

# The normalization of the reference implementation, for RGB in [-1, 1].
_SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
_SCALE = np.array([0.458, 0.448, 0.450], "float32")

_CACHED = "lpips_alexnet_v0.1.npz"
# AlexNet of torchvision, and the channel weights of richzhang/PerceptualSimilarity at its newest
# commit, which the package `lpips` 0.1.4 on PyPI contains too. The second SHA-256 was computed from
# the file. The first begins with the digits in the name that torchvision gave the file; the rest is
# as other projects quote it.
_ALEXNET = (
    "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth",
    "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
)
_CHANNELS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1/alex.pth",
    "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
)

# AlexNet's first convolution and its two poolings leave nothing of a smaller image.
SMALLEST_SIDE = 31


@keras.saving.register_keras_serializable("colorizer")
class LPIPSNetwork:
    """AlexNet with the channel weights of LPIPS, version 0.1.

    Args:
        weights: str or path of an .npz with AlexNet's `convN_w` of shape (height, width, in, out)
            and `convN_b` for N from 1 to 5, and the channel weights `linN` for N from 0 to 4.
            Defaults to `None`, the file in Keras' cache. If it is missing, it is converted from
            the official PyTorch files, which are downloaded.
        dtype: str or `keras.DTypePolicy` of the convolutions. A loss may use a faster, less exact
            one; the metric needs float32, because it is a difference of similar values. Defaults
            to `"float32"`.

    Raises:
        InputError: the file cannot be read or does not contain these weights, or they cannot be
            downloaded or saved. The message says where to put them.

    Example:
        network = LPIPSNetwork("lpips_alexnet.npz")
        features = network.features(true_rgb1)
        network.distance(features, network.features(colored_rgb1))      # (batch,)

    Reference: Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric", CVPR 2018, equation 1. The reference implementation is
    richzhang/PerceptualSimilarity.
    """

    def __init__(
        self,
        weights: str | os.PathLike | None = None,
        dtype: str | keras.DTypePolicy = "float32",
    ):
        self.weights = None if weights is None else os.fspath(weights)
        self.dtype_policy = keras.dtype_policies.get(dtype)
        self._network = _alexnet_trunk(self.dtype_policy)
        self._channel_weights = _load(self._network, self.weights or _in_keras_cache())

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor."""
        return {"weights": self.weights, "dtype": self.dtype_policy.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LPIPSNetwork":
        return cls(**config)

    def features(self, rgb1: Tensor) -> list[Tensor]:
        """Returns the features of the five convolutions, of unit length at each position.

        Args:
            rgb1: tensor of shape (batch, height, width, 3), sRGB in [0, 1], at least 31 x 31. In
                training, values outside [0, 1] are allowed.

        Returns:
            List of five float32 tensors of shape (batch, height, width, channels).

        Raises:
            InputError: the images are too small.
        """
        if min(rgb1.shape[1:3]) < SMALLEST_SIDE:
            raise InputError(
                f"LPIPS takes images of at least {SMALLEST_SIDE} px; received "
                f"{rgb1.shape[2]} x {rgb1.shape[1]}"
            )
        normalized = (2.0 * ops.convert_to_tensor(rgb1) - 1.0 - _SHIFT) / _SCALE
        return [_unit_length(level) for level in self._network(normalized, training=False)]

    def distance(self, true_features: list[Tensor], colored_features: list[Tensor]) -> Tensor:
        """Returns the distances of two batches of images.

        Args:
            true_features: list of tensors, from `features`.
            colored_features: list of tensors of the same shapes.

        Returns:
            float32 tensor of shape (batch,).
        """
        distance = 0.0
        features = zip(self._channel_weights, true_features, colored_features, strict=True)
        for weights, true, colored in features:
            difference = ops.square(true - colored)
            distance += ops.mean(ops.sum(difference * weights, axis=-1), axis=(1, 2))
        return distance


def _unit_length(features):
    features = ops.cast(features, "float32")
    # The derivative of the square root is infinite at 0.
    squares = ops.maximum(ops.sum(ops.square(features), axis=-1, keepdims=True), 1e-24)
    return features / (ops.sqrt(squares) + 1e-10)


def _alexnet_trunk(dtype: keras.DTypePolicy) -> keras.Model:
    images = keras.Input((None, None, 3), dtype="float32")
    outputs, features = [], images
    for number, (_, filters, side, stride, is_pooled) in enumerate(_CONVOLUTIONS, start=1):
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
    """Loads the weights of the convolutions and returns the channel weights."""
    with reading(path, "the weights of LPIPS with AlexNet, an .npz"), np.load(path) as file:
        for number in range(1, len(_CONVOLUTIONS) + 1):
            layer = network.get_layer(f"conv{number}")
            layer.set_weights([file[f"conv{number}_w"], file[f"conv{number}_b"]])
        return [file[f"lin{number}"].reshape(-1) for number in range(len(_CONVOLUTIONS))]


def _in_keras_cache() -> str:
    """The path of the .npz in Keras' cache, which is made if it is missing."""
    cached = in_keras_cache(_CACHED)
    if not cached.exists():
        files = [download(*file, what="LPIPS's weights") for file in (_ALEXNET, _CHANNELS)]
        layers, linear = map(read_state_dict, files)
        arrays: dict[str, Any] = {}
        for number, (layer, *_) in enumerate(_CONVOLUTIONS):
            # From PyTorch's (out, in, height, width) to (height, width, in, out).
            kernel = layers[f"features.{layer}.weight"]
            arrays[f"conv{number + 1}_w"] = np.transpose(kernel, (2, 3, 1, 0))
            arrays[f"conv{number + 1}_b"] = layers[f"features.{layer}.bias"]
            arrays[f"lin{number}"] = linear[f"lin{number}.model.1.weight"].reshape(-1)
        try:
            with write_beside(cached) as temporary:
                np.savez(temporary, **arrays)
        except OSError as error:
            raise InputError(f"LPIPS's weights cannot be saved ({error}); give a file") from error
    return str(cached)
