"""Outputs and gradients of a layer, to compare it with another."""

import keras
import numpy as np
import tensorflow as tf


def outputs_and_gradients(layer: keras.Layer, inputs: np.ndarray) -> list[np.ndarray]:
    """The outputs, and the gradients of their cubes with respect to inputs and weights."""
    inputs = tf.cast(inputs, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 3)
    gradients = tape.gradient(loss, [inputs, *layer.trainable_weights])
    return [np.asarray(tf.cast(each, "float32")) for each in (outputs, *gradients)]
