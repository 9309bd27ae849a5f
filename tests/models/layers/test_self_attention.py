"""Self-attention against the paper's equations in NumPy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.layers.self_attention import SelfAttention


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def features(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def self_attention(x, layer):
    """Equations 1 to 3 of the paper, one position at a time."""

    def convolve(positions, convolution):
        kernel, bias = (weight.numpy() for weight in convolution.weights)
        return positions @ kernel[0, 0] + bias

    def pool(features):
        height, width = x.shape[1:3]
        features = features.reshape(height, width, -1)
        rows, columns = range(0, height, layer.pool), range(0, width, layer.pool)
        squares = (features[r : r + layer.pool, c : c + layer.pool] for r in rows for c in columns)
        return np.stack([square.max(axis=(0, 1)) for square in squares])

    outputs = []
    for positions in x.reshape(len(x), -1, x.shape[-1]):
        f, g, h = (convolve(positions, convolution) for convolution in (layer.f, layer.g, layer.h))
        f, h = pool(f), pool(h)
        attended = np.empty((len(positions), h.shape[-1]), "float32")
        for j in range(len(positions)):
            beta = np.exp(f @ g[j])
            attended[j] = (beta / beta.sum()) @ h
        outputs.append(layer.gamma.numpy() * convolve(attended, layer.v) + positions)
    return np.reshape(outputs, x.shape)


# 3 x 5 positions are no multiple of 2: the squares of the last row and column are smaller.
@pytest.mark.parametrize("pool", [1, 2, 3])
def test_equals_the_equations(pool):
    layer = SelfAttention(reduction=2, spectral_normalization=False, pool=pool)
    x = features(2, 3, 5, 8)
    layer.build(x.shape)
    layer.gamma.assign(0.7)
    for convolution in (layer.f, layer.g, layer.h, layer.v):
        convolution.bias.assign(features(*convolution.bias.shape))
    np.testing.assert_allclose(layer(x), self_attention(x, layer), rtol=1e-5, atol=1e-5)


def test_uniform_attention_adds_the_mean():
    layer = SelfAttention(spectral_normalization=False)
    layer.build((None, 2, 2, 1))
    for convolution, weight in ((layer.f, 0), (layer.g, 1), (layer.h, 1), (layer.v, 1)):
        convolution.kernel.assign([[[[weight]]]])
    layer.gamma.assign(10)
    x = np.array([0, 2, 4, 6], "float32").reshape(1, 2, 2, 1)
    np.testing.assert_allclose(layer(x), x + 30, rtol=1e-6)


@pytest.mark.parametrize("spectral_normalization", [True, False])
def test_starts_as_the_identity(spectral_normalization):
    layer = SelfAttention(spectral_normalization=spectral_normalization)
    x = features(2, 3, 5, 16)
    np.testing.assert_array_equal(layer(x, training=True), x)


@pytest.mark.parametrize(
    ("spectral_normalization", "trainable", "constant"),
    # Trainable: three times 16 x 2 + 2, then 2 x 16 + 16, and gamma. Constant, u and v: three times
    # 2 + 16, then 16 + 2.
    [(True, 151, 72), (False, 151, 0)],
)
def test_weight_counts(spectral_normalization, trainable, constant):
    layer = SelfAttention(spectral_normalization=spectral_normalization)
    layer.build((None, None, None, 16))

    def count(weights):
        return sum(weight.numpy().size for weight in weights)

    assert count(layer.trainable_weights) == trainable
    assert count(layer.non_trainable_weights) == constant
    assert len(layer.trainable_weights) == 9


def test_fewer_channels_than_the_reduction():
    layer = SelfAttention(reduction=8)
    layer.build((None, None, None, 4))
    assert layer.f.layer.filters == 1
    assert layer.v.layer.filters == 4


def test_any_height_and_width():
    inputs = keras.Input((None, None, 16))
    model = keras.Model(inputs, SelfAttention()(inputs))
    assert model.output_shape == (None, None, None, 16)
    for shape in ((2, 3, 5, 16), (1, 1, 7, 16), (1, 8, 2, 16)):
        assert model(features(*shape), training=True).shape == shape
        assert model.predict(features(*shape), verbose=0).shape == shape


@pytest.fixture
def in_parts(monkeypatch):
    """Computes 50 weights at a time (a few rows), as for a large feature map."""
    monkeypatch.setattr("models.layers.self_attention.WEIGHTS_AT_ONCE", 50)
    monkeypatch.setattr("models.layers.self_attention.FEW_POSITIONS", 4)


# 15 positions: three rows at a time, without remainder. 35: one row. 64: one row too, although
# its 64 weights are more than 50.
@pytest.mark.parametrize(
    ("shape", "pool"),
    [
        *(((1, 3, 5, 8), 1), ((1, 3, 5, 8), 2), ((2, 3, 5, 8), 1)),
        *(((1, 5, 7, 8), 1), ((1, 8, 8, 8), 1), ((1, 8, 8, 8), 2)),
    ],
)
def test_attention_in_parts_equals_attention_at_once(in_parts, shape, pool):
    layer, x = (
        SelfAttention(reduction=2, spectral_normalization=False, pool=pool),
        tf.constant(features(*shape)),
    )
    layer.build(shape)
    layer.gamma.assign(0.7)
    of_any_size = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 8))])
    found = {}
    for name, call in (
        ("whole", lambda: layer(x, training=True)),
        ("parts", lambda: layer(x)),
        ("parts of any size", lambda: of_any_size(x)),
    ):
        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = call()
        found[name] = outputs, tape.gradient(outputs, x)
    whole = found.pop("whole")
    for name, parts in found.items():
        for found_array, wanted in zip(parts, whole, strict=True):
            np.testing.assert_allclose(found_array, wanted, atol=1e-5, err_msg=name)


def test_a_switch_computes_large_feature_maps_whole(in_parts):
    def operations(layer):
        layer.build((None, None, None, 8))
        signature = tf.TensorSpec((None, None, None, 8))
        graph = tf.function(layer, autograph=False).get_concrete_function(signature).graph
        return {operation.type for operation in graph.get_operations()}

    loops = {"While", "StatelessWhile"}
    assert operations(SelfAttention(reduction=2)) & loops
    assert not operations(SelfAttention(reduction=2, in_parts=False)) & loops


def test_attention_in_parts_stays_in_half_precision(in_parts):
    layer = SelfAttention(reduction=2, spectral_normalization=False, dtype="mixed_bfloat16")
    x = features(1, 3, 5, 8)
    layer.build(x.shape)
    layer.gamma.assign(0.7)
    outputs = layer(x)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    np.testing.assert_allclose(tf.cast(outputs, "float32"), layer(x, training=True), atol=0.05)


def test_gradients():
    layer = SelfAttention()
    x = tf.constant(features(2, 3, 5, 16))
    layer.build(x.shape)

    def gradients():
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(x, training=True) ** 2)
        weights = layer.trainable_weights
        values = tape.gradient(loss, weights)
        return {weight.path: value for weight, value in zip(weights, values, strict=True)}

    assert abs(gradients()[layer.gamma.path]) > 1e-3
    layer.gamma.assign(1)
    for path, gradient in gradients().items():
        # The softmax cancels f's bias, which adds the same to all scores of a position.
        if path != layer.f.layer.bias.path:
            assert np.abs(gradient).max() > 1e-6, path


def test_mixed_precision():
    layer = SelfAttention(dtype="mixed_bfloat16")
    outputs = layer(features(1, 2, 3, 16), training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert {weight.dtype for weight in layer.weights} == {"float32"}


def test_saved_weights_load(tmp_path):
    def model():
        inputs = keras.Input((None, None, 16))
        return keras.Model(inputs, SelfAttention()(inputs))

    saved, loaded = model(), model()
    saved.layers[-1].gamma.assign(0.7)
    saved.save_weights(tmp_path / "saved.weights.h5")
    loaded.load_weights(tmp_path / "saved.weights.h5")
    x = features(1, 3, 5, 16)
    np.testing.assert_array_equal(loaded(x), saved(x))


def test_config_round_trip():
    layer = SelfAttention(4, spectral_normalization=False, pool=2, in_parts=False, name="attention")
    copy = SelfAttention.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.reduction, copy.spectral_normalization) == (4, False)
    assert (copy.pool, copy.in_parts) == (2, False)


@pytest.mark.parametrize("name", ["reduction", "pool"])
@pytest.mark.parametrize("value", [0, -8])
def test_numbers_that_are_not_positive(name, value):
    with pytest.raises(ValueError, match=f"greater than zero. Received: `{name}={value}`"):
        SelfAttention(**{name: value})
