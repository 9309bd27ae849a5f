"""Layers that resize to a size that is only known when the network is called."""

import keras
import tensorflow as tf
from keras import ops


class ResizeLike(keras.layers.Layer):
    """Resizes the first of two inputs to the height and width of the second, bilinearly."""

    def call(self, inputs):
        features, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return _resize(features, (height, width))

    def compute_output_shape(self, input_shape):
        features, reference = input_shape
        return (*reference[:3], features[-1])


class EnlargeToAtLeast(keras.layers.Layer):
    """Enlarges images whose shorter side is too short, with their proportions; others pass.

    Args:
        side: int, the minimum of height and width.
    """

    def __init__(self, side, **kwargs):
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
