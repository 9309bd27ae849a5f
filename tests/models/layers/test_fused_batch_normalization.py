"""Fused batch normalization against Keras' own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.fused_batch_normalization import (
    FusedBatchNormalization,
    collect_batch_statistics,
)

SHAPE = (4, 5, 7, 3)


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def images(*shape, seed=0):
    return np.random.default_rng(seed).normal(loc=3, scale=2, size=shape).astype("float32")


def gradients(*shape, seed=10):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def both(shape=SHAPE, **options):
    """Our layer and that of Keras with the same weights, none with its initial value."""
    options = {"epsilon": 1e-5, "momentum": 0.9, **options}
    layers = FusedBatchNormalization(**options), keras.layers.BatchNormalization(**options)
    random = np.random.default_rng(1)
    for layer in layers:
        layer.build(shape)
    weights = [random.uniform(0.5, 2, weight.shape) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(weights)
    return layers


def call(layer, inputs, upstream, training):
    """Outputs, and gradients of the inputs and of the trainable weights."""
    inputs = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=training)
    return [outputs, *tape.gradient(outputs, [inputs, *layer.trainable_weights], upstream)]


def assert_close(actual, expected, tolerance=1e-5):
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        one, other = (np.asarray(keras.ops.cast(array, "float32")) for array in (one, other))
        # Rounding errors grow with the largest term of a sum.
        scale = max(1.0, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("training", [True, False])
def test_equals_keras(training):
    fused, keras_layer = both()
    for step in range(4):
        inputs, upstream = images(*SHAPE, seed=step), gradients(*SHAPE, seed=10 + step)
        assert_close(
            call(fused, inputs, upstream, training), call(keras_layer, inputs, upstream, training)
        )
        assert_close(fused.get_weights(), keras_layer.get_weights())


def test_moving_statistics_by_hand():
    layer = FusedBatchNormalization(momentum=0.5)
    outputs = layer(np.array([1, 3], "float32").reshape(1, 1, 2, 1), training=True)
    # The batch has mean 2 and biased variance 1; the statistics go halfway there from 0 and 1.
    assert_close([layer.moving_mean, layer.moving_variance], [[1.0], [1.0]])
    assert_close([outputs[0, 0, :, 0]], [[-(1.001**-0.5), 1.001**-0.5]])


@pytest.mark.parametrize(("training", "expected"), [(True, 2), (False, 0)])
def test_uses_the_kernel_in_training_and_inference(training, expected):
    layer = FusedBatchNormalization()
    layer.build(SHAPE)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3))])
    def graph(inputs):
        return layer(inputs, training=training)

    operations = graph.get_concrete_function().graph.get_operations()
    assert "FusedBatchNormV3" in {operation.type for operation in operations}
    kinds = [operation.type for operation in operations if "Assign" in operation.type]
    assert len(kinds) == expected
    assert graph(images(*SHAPE)).shape == SHAPE


def test_untrainable_uses_moving_statistics():
    fused, keras_layer = both(trainable=False)
    before = fused.get_weights()
    inputs = images(*SHAPE)
    outputs = fused(inputs, training=True)
    assert_close([outputs], [keras_layer(inputs, training=True)])
    np.testing.assert_array_equal(outputs, fused(inputs, training=False))
    assert_close(fused.get_weights(), before, tolerance=0)


@pytest.mark.parametrize("training", [True, False])
def test_mixed_precision(training):
    fused, keras_layer = both(dtype="mixed_bfloat16")
    inputs = images(*SHAPE)
    outputs = fused(inputs, training=training)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {weight.dtype for weight in fused.weights} == {"float32"}
    # A bfloat16 has 8 significant bits.
    assert_close([outputs], [keras_layer(inputs, training=training)], tolerance=2**-7)
    assert_close(fused.get_weights(), keras_layer.get_weights())


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_other_precisions(dtype):
    fused, keras_layer = both(dtype=dtype)
    assert_close(
        [fused(images(*SHAPE), training=True)],
        [keras_layer(images(*SHAPE), training=True)],
        tolerance=2**-7,
    )


@pytest.mark.parametrize("saves", [0, 1], ids=["ours", "keras"])
def test_weights_load_into_the_other(saves):
    layers = both()
    source, target = layers[saves], layers[1 - saves]
    target.set_weights([np.zeros(3)] * 4)
    # The entries of one layer in a weights file.
    stored = {}
    source.save_own_variables(stored)
    target.load_own_variables(stored)
    assert [weight.name for weight in target.weights] == [weight.name for weight in source.weights]
    assert_close(target.get_weights(), source.get_weights(), tolerance=0)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(
    ("shape", "options"),
    [
        (SHAPE, {"scale": False}),
        (SHAPE, {"center": False}),
        (SHAPE, {"scale": False, "center": False}),
        (SHAPE, {"axis": 3}),
        (SHAPE, {"axis": 1}),
        (SHAPE, {"renorm": True}),
        ((8, 3), {}),
        ((4, 5, 3), {}),
    ],
)
def test_options_and_shapes_equal_keras(shape, options, training):
    fused, keras_layer = both(shape, **options)
    inputs, upstream = images(*shape), gradients(*shape)
    assert_close(
        call(fused, inputs, upstream, training), call(keras_layer, inputs, upstream, training)
    )
    assert_close(fused.get_weights(), keras_layer.get_weights())


def test_mask_equals_keras():
    fused, keras_layer = both()
    mask = np.random.default_rng(2).random(SHAPE[:-1]) < 0.5
    inputs = images(*SHAPE)
    assert_close(
        [fused(inputs, training=True, mask=mask)], [keras_layer(inputs, training=True, mask=mask)]
    )
    assert_close(fused.get_weights(), keras_layer.get_weights())


def test_config_round_trip():
    layer = FusedBatchNormalization(epsilon=1e-5, momentum=0.9, scale=False, freeze_statistics=True)
    copy = FusedBatchNormalization.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()


@pytest.mark.parametrize("fused", [True, False], ids=["fused", "by Keras"])
def test_frozen_statistics_normalize_in_training_too(fused):
    layer, keras_layer = both()
    layer.freeze_statistics = True
    mask = None if fused else np.ones(SHAPE[:-1], bool)
    before = layer.get_weights()
    inputs = tf.convert_to_tensor(images(*SHAPE))
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        outputs = layer(inputs, training=True, mask=mask)
    variables = [inputs, *layer.trainable_weights]
    found = [outputs, *tape.gradient(outputs, variables, gradients(*SHAPE))]
    expected = call(keras_layer, images(*SHAPE), gradients(*SHAPE), False)
    assert_close(found, expected)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_frozen_statistics_are_not_collected():
    frozen, other = FusedBatchNormalization(freeze_statistics=True), FusedBatchNormalization()
    network = keras.Sequential([keras.Input((8, 8, 3)), frozen, other])
    with collect_batch_statistics(network, 0.0):
        network(images(4, 8, 8, 3), training=False)
    np.testing.assert_array_equal(frozen.moving_mean, np.zeros(3))
    assert np.abs(other.moving_mean).min() > 1


def test_statistics_are_collected_and_nothing_else_changes():
    inner = keras.Sequential([keras.Input((8, 8, 3)), FusedBatchNormalization()])
    network = keras.Sequential([inner, keras.layers.Dropout(0.5), FusedBatchNormalization()])
    network.trainable = False
    inputs = images(4, 8, 8, 3)
    before = network(inputs, training=False)
    first, last = inner.layers[-1], network.layers[-1]
    for momentum in (0.0, 0.75):
        with collect_batch_statistics(network, momentum):
            outputs = network(inputs, training=False)
        # Dropout is off: the second layer receives what the first has normalized.
        np.testing.assert_allclose(np.mean(outputs, (0, 1, 2)), 0.0, atol=1e-4)
        np.testing.assert_allclose(first.moving_mean, np.mean(inputs, (0, 1, 2)), rtol=1e-4)
        np.testing.assert_allclose(first.moving_variance, np.var(inputs, (0, 1, 2)), rtol=1e-4)
    with collect_batch_statistics(network, 0.75):
        network(inputs + 4.0, training=False)
    np.testing.assert_allclose(first.moving_mean, np.mean(inputs, (0, 1, 2)) + 1.0, rtol=1e-4)
    assert np.mean(last.moving_mean) < 1e-2
    # Outside the block the statistics do not change.
    after = network(inputs, training=False)
    assert not np.allclose(before, after)
    np.testing.assert_array_equal(network(inputs, training=False), after)
