"""ReLU6 equals Keras' own, in bfloat16 to the last bit."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from models.layers import relu6
from models.layers.relu6 import ReLU6

DTYPES = ["bfloat16", "float32"]


def all_bfloat16():
    """Every finite bfloat16 number, the infinities and both zeros."""
    bits = tf.cast(tf.range(-(2**15), 2**15), "int16")
    numbers = tf.bitcast(bits, "bfloat16")
    return tf.boolean_mask(numbers, ~tf.math.is_nan(tf.cast(numbers, "float32")))


def outputs_and_gradient(function, inputs):
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = function(inputs)
        loss = tf.reduce_sum(3.0 * tf.cast(outputs, "float32"))
    return [np.asarray(tf.cast(each, "float32")) for each in (outputs, tape.gradient(loss, inputs))]


@pytest.mark.parametrize("is_traced", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_keras(dtype, is_traced):
    layer = ReLU6(dtype=dtype)
    inputs = tf.cast(all_bfloat16(), dtype)
    function = tf.function(layer) if is_traced else layer
    for result, expected in zip(
        outputs_and_gradient(function, inputs), outputs_and_gradient(ops.relu6, inputs), strict=True
    ):
        np.testing.assert_array_equal(result, expected)


def test_a_gpu_is_left_to_tensorflow(monkeypatch):
    monkeypatch.setattr(relu6, "has_gpu", lambda: True)
    # TensorFlow's own activation does not look at bits.
    monkeypatch.setattr(tf, "bitcast", None)
    assert ReLU6(dtype="bfloat16")(tf.constant([7.0], "bfloat16")) == 6.0


def test_has_second_gradient():
    """Wasserstein's penalty needs it; the activation is piecewise linear."""
    inputs = tf.constant([-1.0, 2.0, 7.0], "bfloat16")
    layer = ReLU6(dtype="bfloat16")
    with tf.GradientTape() as outer:
        outer.watch(inputs)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            loss = tf.reduce_sum(layer(inputs) ** 3)
        gradient = inner.gradient(loss, inputs)
    second = outer.gradient(gradient, inputs)
    np.testing.assert_array_equal(tf.cast(gradient, "float32"), [0.0, 12.0, 0.0])
    np.testing.assert_array_equal(tf.cast(second, "float32"), [0.0, 12.0, 0.0])


def test_survives_keras_file(tmp_path):
    inputs = keras.Input((4,), dtype="bfloat16")
    model = keras.Model(inputs, ReLU6(dtype="bfloat16")(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is ReLU6
    assert loaded.output_shape == (None, 4)
