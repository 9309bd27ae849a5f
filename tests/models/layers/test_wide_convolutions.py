"""Convolutions of large kernels compute and learn what Keras' own do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.kernel_gradient import is_large
from models.layers.wide_convolution import WideConv2D
from models.layers.wide_transposed_convolution import WideConv2DTranspose

KINDS = {
    "down": (WideConv2D, keras.layers.Conv2D),
    "up": (WideConv2DTranspose, keras.layers.Conv2DTranspose),
}


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr("models.layers.kernel_gradient._LARGE", 1)


@pytest.fixture
def products(monkeypatch):
    """The shapes of the patches that kernels have learned from."""
    shapes, extract = [], tf.image.extract_patches

    def counted(images, *arguments, **options):
        shapes.append(images.shape)
        return extract(images, *arguments, **options)

    monkeypatch.setattr(tf.image, "extract_patches", counted)
    return shapes


def pair(kind, **options):
    """Ours and Keras' own with the same weights."""
    random = np.random.default_rng(0)
    layers = [layer(6, 4, **options) for layer in KINDS[kind]]
    for layer in layers:
        layer.build((None, None, None, 5))
    weights = [random.normal(0, 0.3, each.shape) for each in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def learned(layer, inputs):
    """Outputs, and the gradients by inputs and weights."""
    inputs = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs)
        loss = tf.reduce_sum(tf.cast(outputs, "float32") ** 3)
    gradients = tape.gradient(loss, [inputs, *layer.trainable_weights])
    return [np.asarray(tf.cast(each, "float32")) for each in (outputs, *gradients)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "options",
    [
        {"strides": 2, "padding": "same"},
        {"strides": 2, "padding": "same", "use_bias": False, "activation": "tanh"},
        {"strides": 1, "padding": "valid"},
        {"strides": 1, "padding": "same"},
    ],
    ids=["halving", "without bias", "valid", "same"],
)
def test_equals_keras(all_are_large, products, kind, options):
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    ours, of_keras = pair(kind, **options)
    for found, wanted in zip(learned(ours, inputs), learned(of_keras, inputs), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    # Only ours took the other way.
    assert len(products) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_of_open_size_learns_the_same(all_are_large, kind):
    inputs = tf.constant(np.random.default_rng(1).normal(size=(2, 6, 8, 5)), "float32")
    ours, of_keras = pair(kind, strides=2, padding="same")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 5))])
    def gradient(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(ours(images) ** 3)
        return tape.gradient(loss, ours.kernel.value)

    wanted = learned(of_keras, inputs)[2]
    np.testing.assert_allclose(gradient(inputs), wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_learns_float32_weights(all_are_large, kind):
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    ours, of_keras = pair(kind, strides=2, padding="same", dtype="mixed_bfloat16")
    assert {weight.dtype for weight in ours.weights} == {"float32"}
    for found, wanted in zip(learned(ours, inputs), learned(of_keras, inputs), strict=True):
        np.testing.assert_allclose(found, wanted, atol=0.03 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", KINDS)
def test_small_kernels_are_left_to_keras(products, kind):
    ours, of_keras = pair(kind, strides=2, padding="same")
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    for found, wanted in zip(learned(ours, inputs), learned(of_keras, inputs), strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert products == []


def test_the_innermost_kernels_of_pix2pix_are_large():
    assert is_large((4, 4, 512, 512))
    assert is_large((4, 4, 512, 1024))
    assert not is_large((4, 4, 256, 512))
