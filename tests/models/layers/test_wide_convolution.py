"""Convolutions with large kernels have the outputs and gradients of those of Keras."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.kernel_gradient import is_large
from models.layers.wide_convolution import WideConv2D
from models.layers.wide_transposed_convolution import WideConv2DTranspose
from tests.gradients import outputs_and_gradients

KINDS = {
    "down": (WideConv2D, keras.layers.Conv2D),
    "up": (WideConv2DTranspose, keras.layers.Conv2DTranspose),
}


@pytest.fixture
def all_are_large(monkeypatch):
    monkeypatch.setattr("models.layers.kernel_gradient.LARGE", 1)


@pytest.fixture
def patched_shapes(monkeypatch):
    """The shapes of the feature maps whose patches kernel gradients were computed from."""
    shapes, extract = [], tf.image.extract_patches

    def counted(images, *arguments, **options):
        shapes.append(images.shape)
        return extract(images, *arguments, **options)

    monkeypatch.setattr(tf.image, "extract_patches", counted)
    return shapes


def pair(kind, **options):
    """Our layer and that of Keras with the same weights."""
    random = np.random.default_rng(0)
    layers = [layer(6, 4, **options) for layer in KINDS[kind]]
    for layer in layers:
        layer.build((None, None, None, 5))
    weights = [random.normal(0, 0.3, each.shape) for each in layers[0].get_weights()]
    for layer in layers:
        layer.set_weights(weights)
    return layers


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
def test_equals_keras(all_are_large, patched_shapes, kind, options):
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    ours, theirs = pair(kind, **options)
    for found, wanted in zip(
        outputs_and_gradients(ours, inputs), outputs_and_gradients(theirs, inputs), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())
    # Only our layer extracts patches.
    assert len(patched_shapes) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_is_the_same_in_a_graph_of_unknown_size(all_are_large, kind):
    inputs = tf.constant(np.random.default_rng(1).normal(size=(2, 6, 8, 5)), "float32")
    ours, theirs = pair(kind, strides=2, padding="same")

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 5))])
    def gradient(images):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(ours(images) ** 3)
        return tape.gradient(loss, ours.kernel.value)

    wanted = outputs_and_gradients(theirs, inputs)[2]
    np.testing.assert_allclose(gradient(inputs), wanted, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_trains_float32_weights(all_are_large, kind):
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    ours, theirs = pair(kind, strides=2, padding="same", dtype="mixed_bfloat16")
    assert {weight.dtype for weight in ours.weights} == {"float32"}
    for found, wanted in zip(
        outputs_and_gradients(ours, inputs), outputs_and_gradients(theirs, inputs), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=0.03 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", KINDS)
def test_small_kernels_are_left_to_keras(patched_shapes, kind):
    ours, theirs = pair(kind, strides=2, padding="same")
    inputs = np.random.default_rng(1).normal(size=(2, 6, 8, 5)).astype("float32")
    for found, wanted in zip(
        outputs_and_gradients(ours, inputs), outputs_and_gradients(theirs, inputs), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
    assert patched_shapes == []


def test_the_innermost_kernels_of_pix2pix_are_large():
    assert is_large((4, 4, 512, 512))
    assert is_large((4, 4, 512, 1024))
    assert not is_large((4, 4, 256, 512))
