"""The perceptual loss: the distance of images in the features of VGG19."""

import os
from typing import Any

import h5py
import keras
import numpy as np
from keras import KerasTensor as Tensor
from keras import ops

from losses.pretrained import download, reading

# The convolutions of VGG19 up to the first one of its third block, with their filters.
_CONVOLUTIONS = (
    ("block1_conv1", 64),
    ("block1_conv2", 64),
    ("block2_conv1", 128),
    ("block2_conv2", 128),
    ("block3_conv1", 256),
)
_POOLED_AFTER = ("block1_conv2", "block2_conv2")

# The mean of ImageNet in the channel order of VGG's weights: blue, green, red.
_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")

# The address and the MD5 in keras.applications.
_KERAS_FILE = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
    "253f8cb515780f3b799900260a226db6",
)


@keras.saving.register_keras_serializable("colorizer")
class Perceptual(keras.losses.Loss):
    """Mean absolute difference of the features of VGG19 at block3_conv1.

    The loss compares RGB images with their colors, so that it trains color and not only structure.
    The features are divided by 255, the scale of VGG's inputs.

    Args:
        weights: str or path of VGG19's weights: an .h5 file of Keras, with or without the
            classifier, or an .npz with the arrays `blockB_convC_w` of shape (height, width, in,
            out) and `blockB_convC_b`. Defaults to `None`, the file in Keras' cache, which is
            downloaded if it is missing.
        name, reduction, dtype: as in `keras.losses.Loss`. The network has the global dtype policy.

    Raises:
        InputError: the weights cannot be read or downloaded. The message says where to put them.

    Example:
        loss = Perceptual("vgg19.npz")
        loss(true_rgb1, colored_rgb1)       # a scalar, from sRGB in [0, 1]

    Reference:
        Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution",
        ECCV 2016, equation 2; with absolute differences as in pix2pixHD (Wang et al., 2018).
    """

    def __init__(
        self,
        weights: str | os.PathLike | None = None,
        name: str = "perceptual",
        reduction: str | None = "sum_over_batch_size",
        dtype: str | keras.DTypePolicy | None = None,
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.weights = None if weights is None else os.fspath(weights)
        self.network = _vgg19_trunk()
        path = find_vgg19_weights() if self.weights is None else self.weights
        with reading(path, "VGG19's weights, an .h5 of Keras or an .npz"):
            for layer, arrays in _read(path).items():
                self.network.get_layer(layer).set_weights(arrays)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weights": self.weights}

    def call(self, true_rgb1: Tensor, colored_rgb1: Tensor) -> Tensor:
        """Returns the mean differences at all positions of the features, (batch, height, width).

        Args:
            true_rgb1: tensor of shape (batch, height, width, 3), sRGB in [0, 1].
            colored_rgb1: tensor of the same shape; values outside [0, 1] are allowed.
        """
        true = ops.stop_gradient(self._features(true_rgb1))
        return ops.mean(ops.abs(true - self._features(colored_rgb1)), axis=-1)

    def _features(self, rgb1):
        bgr255 = ops.flip(rgb1, axis=-1) * 255.0 - _MEAN_BGR
        return ops.cast(self.network(bgr255, training=False), "float32") / 255.0


def _vgg19_trunk() -> keras.Model:
    images = keras.Input((None, None, 3))
    features = images
    for name, filters in _CONVOLUTIONS:
        convolution = keras.layers.Conv2D(
            filters, 3, padding="same", activation="relu", name=name, trainable=False
        )
        features = convolution(features)
        if name in _POOLED_AFTER:
            features = keras.layers.MaxPooling2D(2)(features)
    return keras.Model(images, features, name="vgg19_to_block3_conv1")


def find_vgg19_weights() -> str:
    """The path of VGG19's weights in Keras' cache, after downloading them if they are missing.

    Raises:
        InputError: they cannot be downloaded. The message says where to put them.
    """
    return download(*_KERAS_FILE, what="VGG19's weights")


def _read(path: str | os.PathLike) -> dict[str, list[np.ndarray]]:
    """Reads the kernel and the bias of each convolution, by name."""
    return _read_npz(path) if str(path).endswith(".npz") else _read_h5(path)


def _read_npz(path: str | os.PathLike) -> dict[str, list[np.ndarray]]:
    with np.load(path) as file:
        return {name: [file[f"{name}_w"], file[f"{name}_b"]] for name, _ in _CONVOLUTIONS}


def _read_h5(path: str | os.PathLike) -> dict[str, list[np.ndarray]]:
    """Finds kernels and biases by the names of their layers, at any depth of the file."""
    arrays: dict[str, dict[int, np.ndarray]] = {}

    def visit(path, item):
        if isinstance(item, h5py.Dataset):
            for name, _ in _CONVOLUTIONS:
                if name in path.split("/"):
                    arrays.setdefault(name, {})[item.ndim] = item[()]

    with h5py.File(path, "r") as file:
        file.visititems(visit)
    return {name: [arrays[name][4], arrays[name][1]] for name, _ in _CONVOLUTIONS}
