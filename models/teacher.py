"""A classifier whose opinion of a gray image teaches another network."""

import functools
import os
import sys
import warnings
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from data.color.lab import lightness1_to_gray_rgb1
from errors import InputError, first_line


class Teacher:
    """What a network for ImageNet sees in gray images: a distribution over classes.

    Its weights never change and stand in no checkpoint. It computes in float32 whatever the
    precision of the networks, so that what was kept of it holds in each.

    Args:
        name: str, a network of `keras.applications`, as `vgg16` or `mobilenet_v2`.
        weights: None for ImageNet's, which Keras keeps or downloads, or the path of a file of the
            whole network with its classifier.
        class_numbers: int array of shape (classes,), which of ImageNet's 1000 count, in the order
            of a dataset; None for all. Of the others' logits nothing is left: the softmax is
            taken over the chosen ones.

    Attributes:
        side: int, of the images as the network sees them.
        classes: int, how many classes a distribution has.
        class_numbers: tuple of int or None, as given.

    Raises:
        InputError: there is no such network, or its weights cannot be had.

    Example:
        teacher = Teacher("mobilenet_v2")
        teacher(lightness)                # (batch, 1000), float32

    Reference: Vitoria, Raad, Ballester, "ChromaGAN", WACV 2020.
    """

    def __init__(
        self,
        name: str = "vgg16",
        weights: str | os.PathLike | None = None,
        class_numbers: np.ndarray | None = None,
    ):
        application = find_application(name)
        network = _load(application, name, weights)
        # Networks of open size were trained on ImageNet's 224 px too.
        self.side = network.input_shape[1] or 224
        self._preprocess = sys.modules[application.__module__].preprocess_input
        logits = network.output
        self.classes = int(logits.shape[-1])
        self.class_numbers = None if class_numbers is None else tuple(map(int, class_numbers))
        if class_numbers is not None:
            self.classes = len(class_numbers)
        # Hidden in a function: a model would save a network that it holds.
        self._logits = functools.partial(network, training=False)

    def __call__(self, lightness) -> tf.Tensor:
        """The class distribution of each image.

        Args:
            lightness: tensor of shape (batch, height, width, 1), in the range of networks. It is
                brought to the size that the network was trained on.

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
    """The network of `keras.applications` of this name, in any spelling of capitals and lines.

    Raises:
        InputError: there is none.
    """
    applications = {
        _plain(each): value
        for each, value in vars(keras.applications).items()
        if each[0].isupper() and callable(value)
    }
    if _plain(name) not in applications:
        raise InputError(
            f"--teacher {name}: there is no such network in keras.applications; give vgg16, "
            "mobilenet_v2 or another of its names"
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
                f"--teacher_weights {weights}: there is no such file; give the weights of {name} "
                "with its classifier"
            )
        with warnings.catch_warnings():
            # Keras warns once for each layer of a file that does not fit, before it raises.
            warnings.simplefilter("ignore", UserWarning)
            return application(weights=weights or "imagenet", classifier_activation=None)
    except InputError:
        raise
    # A download that fails raises a bare Exception, a file of another kind whatever h5py makes of.
    except Exception as error:
        if weights is not None:
            raise InputError(
                f"--teacher_weights {weights}: these are not the weights of {name} with its "
                f"classifier ({first_line(error)})"
            ) from error
        raise InputError(
            f"the ImageNet weights of the teacher {name} cannot be downloaded "
            f"({first_line(error)}); give a file with --teacher_weights PATH, or do without a "
            "teacher with --class_weight 0"
        ) from error
    finally:
        keras.config.set_dtype_policy(policy)
