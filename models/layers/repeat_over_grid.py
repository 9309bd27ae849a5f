"""Puts what is known of a whole image beside what is known of each place."""

import keras
from keras import ops


class RepeatOverGrid(keras.layers.Layer):
    """Joins a vector to the features of every place.

    Takes features of shape (batch, height, width, channels) and vectors of shape (batch, more),
    and returns (batch, height, width, channels + more).
    """

    def call(self, inputs):
        features, vector = inputs
        batch, height, width, _ = ops.shape(features)
        repeated = ops.broadcast_to(
            vector[:, None, None, :], (batch, height, width, vector.shape[-1])
        )
        return ops.concatenate([features, repeated], axis=-1)

    def compute_output_shape(self, input_shape):
        (*places, channels), (_, more) = input_shape
        return (*places, channels + more)
