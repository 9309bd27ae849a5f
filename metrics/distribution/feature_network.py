"""The network that FID, KID and the Inception Score are computed with."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from errors import InputError
from losses.pretrained import download, reading

# The address and the MD5 in keras.applications.
_KERAS_FILE = (
    "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    "inception_v3_weights_tf_dim_ordering_tf_kernels.h5",
    "9a0d58056eeedaa3f26cb7ebd46da564",
)
_SIDE = 299


class FeatureNetwork:
    """Computes pooled features and class probabilities of images.

    The default is InceptionV3 of `keras.applications` with ImageNet's weights: 2048 features and
    1000 classes. The Inception network of the FID papers, and every port of it, has other weights,
    trained in 2015. Values computed with it are not comparable with these, so every report names
    the network.

    Args:
        path: None for Keras' own copy of InceptionV3's weights, from its cache or downloaded; the
            path of such a file (.h5); or the path of a whole network (.keras), which takes sRGB in
            [0, 255] and returns features of shape (batch, channels), or (batch, height, width,
            channels), which are averaged over positions. Such a network has no classes. Defaults
            to `None`.

    Attributes:
        path: as given.
        name: str, the network and its weights, for reports.
        has_classes: bool, whether the network returns class probabilities.

    Raises:
        InputError: the weights cannot be loaded; the message says where to put them.
    """

    def __init__(self, path: str | os.PathLike | None = None):
        self.path = path
        if path is not None and str(path).endswith(".keras"):
            self._network, self._side = _whole_network(path)
            self.name = Path(path).stem
            self.has_classes = False
        else:
            self._network, self._side = _inception(path), _SIDE
            self.name = "Keras' InceptionV3, " + (Path(path).name if path else "ImageNet")
            self.has_classes = True
        self._call = tf.function(self._features_and_classes, reduce_retracing=True)

    def __call__(self, rgb1: tf.Tensor | np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Computes features and class probabilities.

        Args:
            rgb1: float32 array or tensor of shape (batch, height, width, 3), sRGB in [0, 1].

        Returns:
            The features, float32 array of shape (batch, channels), and the class probabilities,
            array of shape (batch, classes), or None.

        Raises:
            ValueError: this is called while TensorFlow traces a function.
        """
        if not tf.executing_eagerly():
            raise ValueError(
                "a `FeatureNetwork` returns NumPy arrays and cannot be part of a graph; compile "
                "the model with `run_eagerly=True`"
            )
        features, probabilities = self._call(tf.convert_to_tensor(rgb1, "float32"))
        return features.numpy(), probabilities.numpy() if self.has_classes else None

    def _features_and_classes(self, rgb1):
        if self._side is not None:
            rgb1 = tf.image.resize(rgb1, [self._side, self._side], antialias=True)
        if self.has_classes:
            # InceptionV3 was trained on inputs in [-1, 1].
            return self._network(2.0 * rgb1 - 1.0, training=False)
        features = tf.cast(self._network(255.0 * rgb1, training=False), "float32")
        if features.shape.rank == 4:
            features = tf.reduce_mean(features, axis=(1, 2))
        return features, tf.constant(0.0)


def _inception(path: str | os.PathLike | None) -> keras.Model:
    policy = keras.config.dtype_policy()
    # Half precision is too inexact for the statistics of features.
    keras.config.set_dtype_policy("float32")
    path = path or download(*_KERAS_FILE, what="InceptionV3's weights")
    try:
        with reading(path, "Keras' weights of InceptionV3 (.h5) or a whole network (.keras)"):
            network = keras.applications.InceptionV3(weights=path)
    finally:
        keras.config.set_dtype_policy(policy)
    pooled = network.get_layer("avg_pool").output
    return keras.Model(network.inputs, [pooled, network.output], trainable=False)


def _whole_network(path: str | os.PathLike) -> tuple[keras.Model, int | None]:
    """Loads a network, and returns it with the side of its input images, None for any side."""
    with reading(path, "a Keras network with one input"):
        # In safe mode, code in the file is not executed.
        network = keras.saving.load_model(path, compile=False, safe_mode=True)
        _, height, width, channels = network.input_shape
    is_usable = height == width and channels == 3 and len(network.outputs) == 1
    if not (is_usable and len(network.output_shape) in (2, 4)):
        raise InputError(
            f"{path}: it should take square color images and return features; received "
            f"{network.input_shape} -> {network.output_shape}"
        )
    return network, height
