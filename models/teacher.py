"""A classifier of gray images whose predictions another network is trained on."""

import functools
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from data.color.lab import lightness1_to_gray_rgb1
from data.downloads import without_bars
from errors import InputError, first_line


@keras.saving.register_keras_serializable("colorizer")
class Teacher:
    """An ImageNet classifier that predicts class distributions from gray images.

    Its weights are not trained and not saved in checkpoints. It computes in float32 whatever the
    precision of the other networks, so that cached distributions are valid for any precision.

    Args:
        name: str, a network of `keras.applications` such as `vgg16` or `mobilenet_v2`. Defaults to
            `vgg16`.
        weights: None for the ImageNet weights, which Keras caches or downloads, or the path of a
            weights file of the network with its classifier. Defaults to `None`.
        class_numbers: int array of shape (classes,), which of ImageNet's 1000 classes to use, in
            the order of a dataset; None for all. The softmax is taken over their logits alone.
            Defaults to `None`.

    Attributes:
        side: int, side of the images that the network is run on.
        classes: int, the number of classes in a distribution.
        class_numbers: tuple of int or None, as given.

    Raises:
        InputError: there is no such network, or its weights cannot be loaded.

    Example:
        # Without `weights` Keras downloads those of ImageNet.
        keras.applications.MobileNet(weights=None).save_weights("mobilenet.weights.h5")
        teacher = Teacher("mobilenet", weights="mobilenet.weights.h5")
        teacher(lightness)                # (batch, 1000), float32

    Reference: Vitoria, Raad, Ballester, "ChromaGAN", WACV 2020.
    """

    def __init__(
        self,
        name: str = "vgg16",
        weights: str | os.PathLike | None = None,
        class_numbers: Sequence[int] | np.ndarray | None = None,
    ):
        self.name = name
        self.weights = None if weights is None else os.fspath(weights)
        application = find_application(name)
        network = _load(application, name, weights)
        # Networks without a fixed input size were trained on 224 px too.
        self.side = network.input_shape[1] or 224
        self._preprocess = sys.modules[application.__module__].preprocess_input
        logits = network.output
        self.classes = int(logits.shape[-1])
        self.class_numbers = None if class_numbers is None else tuple(map(int, class_numbers))
        if class_numbers is not None:
            self.classes = len(class_numbers)
        # Inside a `partial`, because a model saves the networks in its attributes.
        self._logits = functools.partial(network, training=False)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {"name": self.name, "weights": self.weights, "class_numbers": self.class_numbers}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Teacher":
        return cls(**config)

    def __call__(self, lightness: tf.Tensor) -> tf.Tensor:
        """Predicts the class distribution of each image.

        Args:
            lightness: tensor of shape (batch, height, width, 1), L/50 - 1. It is resized to the
                size that the network was trained on.

        Returns:
            float32 tensor of shape (batch, classes); each row sums to 1.
        """
        gray_rgb255 = 255.0 * lightness1_to_gray_rgb1(lightness)
        gray_rgb255 = tf.image.resize(gray_rgb255, [self.side, self.side], antialias=True)
        logits = self._logits(self._preprocess(tf.clip_by_value(gray_rgb255, 0.0, 255.0)))
        if self.class_numbers is not None:
            logits = tf.gather(logits, self.class_numbers, axis=-1)
        return tf.stop_gradient(tf.nn.softmax(logits))


def find_application(name: str) -> Callable[..., keras.Model]:
    """Finds a network of `keras.applications`; case and underscores of the name are ignored.

    Raises:
        InputError: there is no such network.
    """
    applications = {
        _plain(key): value
        for key, value in vars(keras.applications).items()
        if key[0].isupper() and callable(value)
    }
    if _plain(name) not in applications:
        raise InputError(
            "there is no such network in keras.applications; give vgg16, mobilenet_v2 or another "
            f"of its names. Received: `name={name!r}`"
        )
    return applications[_plain(name)]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def _load(
    application: Callable[..., keras.Model], name: str, weights: str | os.PathLike | None
) -> keras.Model:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        if weights is not None and not os.path.exists(weights):
            raise InputError(
                f"{weights}: there is no such file; give the weights of {name} with its classifier"
            )
        with warnings.catch_warnings(), without_bars():
            # Keras warns of each layer that does not fit before it raises.
            warnings.simplefilter("ignore", UserWarning)
            return application(weights=weights or "imagenet", classifier_activation=None)
    except InputError:
        raise
    # A failed download raises a bare Exception, an unsuitable file any exception of h5py's.
    except Exception as error:
        if weights is not None:
            raise InputError(
                f"{weights}: these are not the weights of {name} with its classifier "
                f"({first_line(error)})"
            ) from error
        raise InputError(
            f"the ImageNet weights of {name} cannot be downloaded ({first_line(error)}); give the "
            "path of a file"
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
