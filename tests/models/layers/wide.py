"""Layers with wide kernels are compared with those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.gradients import outputs_and_gradients

OPTIONS = pytest.mark.parametrize(
    "options",
    [
        {"strides": 2, "padding": "same"},
        {"strides": 2, "padding": "same", "use_bias": False, "activation": "tanh"},
        {"strides": 1, "padding": "valid"},
        {"strides": 1, "padding": "same"},
    ],
    ids=["halving", "without bias", "valid", "same"],
)
HALVING = {"strides": 2, "padding": "same"}


def images():
    return np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")


class Pair:
    """A layer and that of Keras with the same weights."""

    def __init__(self, ours: type[keras.Layer], theirs: type[keras.Layer], **options):
        random = np.random.default_rng(0)
        self.ours, self.theirs = (layer(6, 4, **options) for layer in (ours, theirs))
        for layer in (self.ours, self.theirs):
            layer.build((None, None, None, 5))
        weights = [random.normal(0, 0.3, each.shape) for each in self.ours.get_weights()]
        for layer in (self.ours, self.theirs):
            layer.set_weights(weights)

    def outputs_and_gradients(self):
        """Of both, in pairs."""
        both = (outputs_and_gradients(layer, images()) for layer in (self.ours, self.theirs))
        return zip(*both, strict=True)

    def assert_equal(self):
        for found, wanted in self.outputs_and_gradients():
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())

    def assert_same_gradient_in_a_graph_of_unknown_size(self):
        @tf.function(input_signature=[tf.TensorSpec((None, None, None, 5))])
        def gradient(images):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(self.ours(images) ** 3)
            return tape.gradient(loss, self.ours.kernel.value)

        wanted = outputs_and_gradients(self.theirs, images())[2]
        found = gradient(tf.constant(images()))
        np.testing.assert_allclose(found, wanted, atol=1e-4 * np.abs(wanted).max())

    def assert_half_precision_trains_float32_weights(self):
        assert {weight.dtype for weight in self.ours.weights} == {"float32"}
        for found, wanted in self.outputs_and_gradients():
            np.testing.assert_allclose(found, wanted, atol=0.03 * np.abs(wanted).max())

    def assert_equal_to_the_last_bit(self):
        for found, wanted in self.outputs_and_gradients():
            np.testing.assert_array_equal(found, wanted)
