"""Depthwise convolutions have the outputs and gradients of Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers import depthwise_convolution
from models.layers.depthwise_convolution import DepthwiseConv2D
from tests.gradients import outputs_and_gradients


def images(height, width, channels=5):
    random = np.random.default_rng(0)
    return random.normal(size=(2, height, width, channels)).astype("float32")


def both(**options):
    """Our layer and that of Keras with the same weights."""
    layers = DepthwiseConv2D(**options), keras.layers.DepthwiseConv2D(**options)
    for layer in layers:
        layer.build((None, None, None, 5))
    random = np.random.default_rng(1)
    weights = [random.normal(0, 0.3, each.shape) for each in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


@pytest.fixture
def spread(monkeypatch):
    """The shapes of the upstream gradients that were spread out."""
    shapes, original = [], depthwise_convolution._spread

    def counted(features, stride):
        shapes.append(tuple(features.shape))
        return original(features, stride)

    monkeypatch.setattr(depthwise_convolution, "_spread", counted)
    return shapes


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "relu"}])
@pytest.mark.parametrize(("height", "width"), [(9, 13), (10, 12), (3, 4)])
@pytest.mark.parametrize(
    ("kernel_size", "strides", "multiplier"),
    [(3, 2, 1), (3, 3, 1), (2, 2, 1), ((3, 2), 2, 2), (1, 2, 1)],
)
def test_equals_keras(height, width, kernel_size, strides, multiplier, options, spread):
    ours, theirs = both(
        kernel_size=kernel_size,
        strides=strides,
        depth_multiplier=multiplier,
        dtype="mixed_bfloat16",
        **options,
    )
    results = outputs_and_gradients(ours, images(height, width))
    for result, expected in zip(
        results, outputs_and_gradients(theirs, images(height, width)), strict=True
    ):
        np.testing.assert_allclose(result, expected, rtol=2e-2, atol=2e-2 * np.abs(expected).max())
    assert len(spread) == 1


def test_gradient_equals_that_of_float32():
    """Against an independent kernel: bfloat16 rounds, but nothing is shifted or lost."""
    ours, _ = both(kernel_size=3, strides=2, dtype="mixed_bfloat16")
    _, theirs = both(kernel_size=3, strides=2, dtype="float32")
    for result, expected in zip(
        outputs_and_gradients(ours, images(17, 16)),
        outputs_and_gradients(theirs, images(17, 16)),
        strict=True,
    ):
        np.testing.assert_allclose(result, expected, atol=3e-2 * np.abs(expected).max())


@pytest.mark.parametrize(
    "options",
    [
        {"dtype": "float32", "strides": 2},
        {"dtype": "mixed_bfloat16", "strides": 1},
        {"dtype": "mixed_bfloat16", "strides": 2, "padding": "same"},
        {"dtype": "mixed_bfloat16", "strides": 1, "dilation_rate": 2},
    ],
)
def test_other_layers_are_left_to_keras(options, spread):
    ours, theirs = both(kernel_size=3, **options)
    for result, expected in zip(
        outputs_and_gradients(ours, images(9, 8)),
        outputs_and_gradients(theirs, images(9, 8)),
        strict=True,
    ):
        np.testing.assert_array_equal(result, expected)
    assert not spread


def test_a_gpu_is_left_to_tensorflow(monkeypatch, spread):
    monkeypatch.setattr(depthwise_convolution, "has_gpu", lambda: True)
    ours, _ = both(kernel_size=3, strides=2, dtype="mixed_bfloat16")
    outputs_and_gradients(ours, images(9, 8))
    assert not spread


def test_sizes_that_are_unknown_while_tracing(spread):
    ours, theirs = both(kernel_size=3, strides=2, dtype="mixed_bfloat16")

    def input_gradient(layer, inputs):
        return tf.gradients(tf.cast(layer(inputs), "float32") ** 2, inputs)[0]

    signature = [tf.TensorSpec([None, None, None, 5], "bfloat16")]
    for height, width in ((9, 8), (8, 9)):
        results = [
            tf.function(lambda inputs, layer=layer: input_gradient(layer, inputs), signature)(
                tf.cast(images(height, width), "bfloat16")
            )
            for layer in (ours, theirs)
        ]
        assert results[0].shape == (2, height, width, 5)
        np.testing.assert_allclose(*(np.asarray(tf.cast(each, "float32")) for each in results))


def test_survives_keras_file(tmp_path):
    inputs = keras.Input((9, 9, 5))
    model = keras.Model(inputs, DepthwiseConv2D(3, strides=2)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is DepthwiseConv2D
    np.testing.assert_array_equal(model(images(9, 9)), loaded(images(9, 9)))


def test_weights_files_are_those_of_keras(tmp_path):
    ours, theirs = both(kernel_size=3, strides=2)
    model, stock = (keras.Sequential([keras.Input((9, 9, 5)), layer]) for layer in (ours, theirs))
    stock.save_weights(tmp_path / "stock.weights.h5")
    ours.set_weights([np.zeros(weight.shape) for weight in ours.get_weights()])
    model.load_weights(tmp_path / "stock.weights.h5")
    np.testing.assert_array_equal(ours.get_weights()[0], theirs.get_weights()[0])
