"""Resizing to a size that is only known when the network is called."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.layers.padding import PadToMultiple


@keras.saving.register_keras_serializable("colorizer")
class ResizeLike(keras.layers.Layer):
    """Resizes the first of two inputs to the height and width of the second, bilinearly."""

    def call(self, inputs):
        features, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return _resize(features, (height, width))

    def compute_output_shape(self, input_shape):
        features, reference = input_shape
        return (*reference[:3], features[-1])


@keras.saving.register_keras_serializable("colorizer")
class EnlargeToAtLeast(keras.layers.Layer):
    """Enlarges images whose shorter side is too short, with their proportions; others pass.

    Args:
        side: int, the minimum of height and width.
    """

    def __init__(self, side: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.side = side

    def call(self, inputs):
        _, height, width, _ = ops.shape(inputs)
        if isinstance(height, int) and isinstance(width, int) and min(height, width) >= self.side:
            return inputs
        return _resize(inputs, self._enlarged_size(height, width, ops.minimum, ops.maximum))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        if height is None or width is None:
            return (batch, None, None, channels)
        return (batch, *self._enlarged_size(height, width, min, max), channels)

    def get_config(self):
        return {**super().get_config(), "side": self.side}

    def _enlarged_size(self, height, width, minimum, maximum):
        # Integer arithmetic leaves every size exact if nothing has to be enlarged.
        shorter = minimum(height, width)
        target = maximum(shorter, self.side)
        return tuple(-(-side * target // shorter) for side in (height, width))


def _resize(features, size):
    # Keras' function takes no tensor as the size. TensorFlow's always returns float32.
    return ops.cast(tf.image.resize(features, size, "bilinear"), features.dtype)


def mean_of_squares(features: tf.Tensor, side: int) -> tf.Tensor:
    """Averages squares of `side` x `side` pixels.

    Args:
        features: tensor of shape (batch, height, width, channels).
        side: int.

    Returns:
        Tensor of shape (batch, ceil(height / side), ceil(width / side), channels). The image is
        padded as by `PadToMultiple`.
    """
    # The global policy may be half precision, which is too coarse for colors.
    pad = PadToMultiple(side, dtype=keras.backend.standardize_dtype(features.dtype))
    return ops.average_pool(pad(features), side, side)


def enlarge_squares(means: tf.Tensor, side: int, size: Sequence[int | tf.Tensor]) -> tf.Tensor:
    """Enlarges the result of `mean_of_squares` by bilinear interpolation between its centers.

    Args:
        means: tensor of shape (batch, ceil(height / side), ceil(width / side), channels).
        side: int.
        size: height and width.

    Returns:
        Tensor of shape (batch, height, width, channels).
    """
    _, rows, columns, _ = ops.shape(means)
    height, width = size
    return _resize(means, (rows * side, columns * side))[:, :height, :width]
