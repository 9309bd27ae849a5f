"""Layers that bring features to a size that is only known when an image comes."""

import keras
import tensorflow as tf
from keras import ops


class ResizeLike(keras.layers.Layer):
    """Resizes the first of two inputs to the height and width of the second, bilinearly."""

    def call(self, inputs):
        features, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return _resized(features, (height, width))

    def compute_output_shape(self, input_shape):
        features, reference = input_shape
        return (*reference[:3], features[-1])


class EnlargeToAtLeast(keras.layers.Layer):
    """Enlarges images, with their proportions, whose shorter side is too short; others pass.

    Args:
        side: int, the shortest that height and width may be.
    """

    def __init__(self, side, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, inputs):
        _, height, width, _ = ops.shape(inputs)
        if isinstance(height, int) and isinstance(width, int) and min(height, width) >= self.side:
            return inputs
        return _resized(inputs, self._enlarged(height, width, ops.minimum, ops.maximum))

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        if height is None or width is None:
            return (batch, None, None, channels)
        return (batch, *self._enlarged(height, width, min, max), channels)

    def get_config(self):
        return {**super().get_config(), "side": self.side}

    def _enlarged(self, height, width, minimum, maximum):
        # In whole numbers: where nothing is to be enlarged every size stays as it is.
        shorter = minimum(height, width)
        target = maximum(shorter, self.side)
        return tuple(-(-side * target // shorter) for side in (height, width))


def _resized(features, size):
    # Keras' own takes no size that is a tensor. TensorFlow's gives float32 always.
    return ops.cast(tf.image.resize(features, size, "bilinear"), features.dtype)
