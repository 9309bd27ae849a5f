"""Combines features of the whole image with features of each position."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("colorizer")
class RepeatOverGrid(keras.layers.Layer):
    """Concatenates a vector to the features at every position.

    The inputs are features of shape (batch, height, width, channels) and vectors of shape (batch,
    size). The output has shape (batch, height, width, channels + size).
    """

    def call(self, inputs):
        features, vector = inputs
        batch, height, width, _ = ops.shape(features)
        repeated = ops.broadcast_to(
            vector[:, None, None, :], (batch, height, width, vector.shape[-1])
        )
        return ops.concatenate([features, repeated], axis=-1)

    def compute_output_shape(self, input_shape):
        (*grid, channels), (_, size) = input_shape
        return (*grid, channels + size)
