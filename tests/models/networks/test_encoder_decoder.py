"""The encoder-decoder generator: weight counts, image sizes, skip connections, attention."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.transform import resize

from models.networks.encoder_decoder import encoder_decoder

# The channels of the tiny encoder's levels, and of the decoder's five blocks with 2 filters.
ENCODED = 4
DECODED = {5: 32, 4: 16, 3: 8, 2: 4, 1: 2}


@pytest.fixture
def tiny(tiny_encoder):
    """Returns a function that builds a tiny network with strong colors."""

    def build(**options):
        keras.utils.set_random_seed(0)
        network = encoder_decoder(**{"filters": 2, "encoder": "vgg16", **options})
        embolden(network)
        return network

    return build


def embolden(network):
    """Gives the last convolution random weights: it starts with zeros."""
    random = np.random.default_rng(1)
    last = network.get_layer("ab")
    last.set_weights([random.normal(0, 0.5, each.shape) for each in last.get_weights()])
    # Without normalization the outputs of so few channels are small.
    first = network.get_layer("up_5")
    first.kernel.assign(40.0 * first.kernel)


def images(*size, count=1):
    return np.random.default_rng(0).uniform(-1, 1, (count, *size, 1)).astype("float32")


def decoder_parameters(network, encoder):
    return network.count_params() - network.get_layer(encoder).count_params()


def convolution(inputs, outputs, use_bias=True):
    return 9 * inputs * outputs + outputs * use_bias


# --- weight counts -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inception(without_values):
    """The default network, for counting its weights."""
    with without_values():
        return encoder_decoder()


def test_parameters_are_pinned(inception):
    assert inception.get_layer("inception_resnet_v2").count_params() == 54_336_736
    assert decoder_parameters(inception, "inception_resnet_v2") == 8_646_178


def test_decoder_of_the_default_halves_its_channels_from_512_to_32(inception):
    filters = [inception.get_layer(f"up_{level}").filters for level in (5, 4, 3, 2, 1)]
    assert filters == [512, 256, 128, 64, 32]
    expected = sum(convolution(*pair) for pair in itertools.pairwise([1536, *filters, 2]))
    assert decoder_parameters(inception, "inception_resnet_v2") == expected


def test_parameters_without_skip_connections_by_hand(tiny):
    widths = [ENCODED, *DECODED.values(), 2]
    expected = sum(convolution(*pair) for pair in itertools.pairwise(widths))
    assert decoder_parameters(tiny(), "vgg16") == expected


def test_parameters_with_skip_connections_by_hand(tiny):
    # All blocks but the first have a skip connection; the last convolution has none.
    blocks = [(4, 32), (32 + 4, 16), (16 + 4, 8), (8 + 4, 4), (4 + 4, 2), (2, 2)]
    expected = sum(convolution(*block) for block in blocks)
    assert decoder_parameters(tiny(skip_connections=True), "vgg16") == expected


@pytest.mark.parametrize(
    ("norm", "kind", "norm_weights"),
    [
        ("none", None, 0),
        # Scale and offset; batch normalization has two moving statistics too.
        ("batch", "FusedBatchNormalization", 4 * sum(DECODED.values())),
        ("instance", "GroupNormalization", 2 * sum(DECODED.values())),
    ],
)
def test_norms_are_in_the_decoder_and_replace_its_biases(tiny, norm, kind, norm_weights):
    network = tiny(norm=norm)
    kinds = [type(layer).__name__ for layer in network.layers]
    found = [each for each in kinds if each.endswith("Normalization")]
    assert found == [kind] * (5 if kind else 0)
    widths = [ENCODED, *DECODED.values()]
    blocks = itertools.pairwise(widths)
    expected = sum(convolution(*block, use_bias=norm == "none") for block in blocks)
    assert decoder_parameters(network, "vgg16") == expected + convolution(2, 2) + norm_weights


# --- image sizes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("skip_connections", [False, True])
def test_any_size_is_colored(tiny, skip_connections):
    network = tiny(skip_connections=skip_connections, attention_level=4)
    for size in ((16, 16), (1, 1), (33, 65), (7, 30), (64, 96)):
        ab = network(images(*size, count=2))
        assert ab.shape == (2, *size, 2)
        assert ab.dtype == tf.float32
        assert 0.0 < np.abs(ab).max() <= 1.0


@pytest.mark.parametrize("size", [(16, 16), (45, 97)])
def test_inception_colors_any_size(inception, size):
    assert inception(keras.KerasTensor((1, *size, 1))).shape == (1, *size, 2)


@pytest.mark.parametrize("skip_connections", [False, True])
def test_graph_of_unknown_sizes_accepts_any_size(tiny, skip_connections):
    network = tiny(skip_connections=skip_connections)
    assert network.output_shape == (None, None, None, 2)
    signature = [tf.TensorSpec((None, None, None, 1), tf.float32)]
    color = tf.function(network, signature)
    for size in ((16, 16), (33, 20), (5, 70)):
        np.testing.assert_allclose(color(images(*size)), network(images(*size)), atol=1e-5)
    assert color.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("skip_connections", [False, True])
def test_a_fresh_network_colors_in_gray(tiny_encoder, skip_connections):
    network = encoder_decoder(2, encoder="vgg16", skip_connections=skip_connections)
    assert not np.any(network(100.0 * images(32, 32)))


@pytest.mark.slow
def test_a_fresh_network_with_inception_colors_in_gray():
    assert not np.any(encoder_decoder()(images(80, 80)))


# --- outputs -------------------------------------------------------------------------------------


def colored_by_hand(network, lightness, skip_connections):
    """Colors block by block, as the docstring of the network describes.

    Only the encoder and the convolutions are computed with the layers of the network.
    """
    gray = network.get_layer("gray")(lightness)
    levels = [np.asarray(each) for each in network.get_layer("vgg16")(gray)]
    features = levels[-1]
    for level in (5, 4, 3, 2, 1):
        features = np.maximum(network.get_layer(f"up_{level}")(features), 0.0)
        features = features.repeat(2, axis=1).repeat(2, axis=2)
        if skip_connections and level > 1:
            _, height, width, _ = features.shape
            joined = resized(levels[level - 2], (height, width))
            features = np.concatenate([features, joined], axis=-1)
    kernel, bias = network.get_layer("ab").get_weights()
    ab = np.tanh(tf.nn.conv2d(features, kernel, 1, "SAME") + bias)
    return resized(ab, lightness.shape[1:3])


def resized(features, size):
    return np.stack(
        [resize(each, size, order=1, mode="edge", anti_aliasing=False) for each in features]
    )


@pytest.mark.parametrize("size", [(64, 32), (37, 50)])
@pytest.mark.parametrize("skip_connections", [False, True])
def test_equals_the_computation_of_its_docstring(tiny, size, skip_connections):
    network = tiny(skip_connections=skip_connections)
    lightness = images(*size, count=2)
    expected = colored_by_hand(network, lightness, skip_connections)
    assert np.std(expected, axis=(1, 2)).min() > 0.01
    np.testing.assert_allclose(network(lightness), expected, atol=1e-5)


def test_features_of_the_same_size_are_joined(tiny):
    network = tiny(skip_connections=True)
    names = [f"skip_{level}" for level in (1, 2, 3, 4)]
    probe = keras.Model(network.input, [network.get_layer(name).output for name in names])
    lightness = images(64, 96)
    levels = network.get_layer("vgg16")(network.get_layer("gray")(lightness))
    for joined, level in zip(probe(lightness), levels[:-1], strict=True):
        np.testing.assert_allclose(joined, level, atol=1e-6)


def test_without_skip_connections_nothing_is_joined(tiny):
    assert not any(isinstance(layer, keras.layers.Concatenate) for layer in tiny().layers)


# --- attention -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("level", "skip_connections"), [(1, False), (2, True), (3, False), (4, True), (5, True)]
)
def test_attention_is_at_the_requested_level(tiny, level, skip_connections):
    network = tiny(attention_level=level, skip_connections=skip_connections)
    found = [layer for layer in network.layers if type(layer).__name__ == "SelfAttention"]
    assert [layer.name for layer in found] == ["attention_up"]
    features = keras.Model(network.input, found[0].output)(images(64, 96))
    channels = ENCODED if level == 5 else DECODED[level + 1] + ENCODED * skip_connections
    assert features.shape == (1, 64 // 2**level, 96 // 2**level, channels)


@pytest.mark.parametrize("level", [0, 6])
def test_attention_at_a_missing_level_is_an_error(tiny, level):
    message = f"`attention_level` should be from 1 to 5 or None. Received: `.*={level}`"
    with pytest.raises(ValueError, match=message):
        tiny(attention_level=level)


def test_there_is_no_attention_by_default(tiny):
    assert not any("attention" in layer.name for layer in tiny().layers)


def test_attention_changes_the_colors_once_gamma_is_not_zero(tiny):
    plain, attentive = tiny(), tiny(attention_level=3)
    for layer in plain.layers:
        if layer.weights:
            attentive.get_layer(layer.name).set_weights(layer.get_weights())
    lightness = images(32, 32)
    np.testing.assert_allclose(attentive(lightness), plain(lightness), atol=1e-6)
    attentive.get_layer("attention_up").gamma.assign(100.0)
    assert np.abs(attentive(lightness) - plain(lightness)).max() > 1e-3


# --- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "skip_connections"), [("none", False), ("batch", True), ("instance", False)]
)
def test_gradients_reach_the_encoder_and_all_variables(tiny, norm, skip_connections):
    network = tiny(norm=norm, skip_connections=skip_connections, filters=8)
    lightness = images(64, 64, count=2)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(network(lightness, training=True) - 0.3))
    gradients = tape.gradient(loss, network.trainable_variables)
    encoder_ids = {id(each) for each in network.get_layer("vgg16").trainable_variables}
    assert len(encoder_ids) == 10
    assert encoder_ids < {id(each) for each in network.trainable_variables}
    for variable, gradient in zip(network.trainable_variables, gradients, strict=True):
        assert np.abs(gradient).max() > 1e-8, variable.path


def test_half_precision_keeps_weights_and_colors_in_float32(tiny):
    network = tiny(skip_connections=True, attention_level=4)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    half = tiny(skip_connections=True, attention_level=4)
    half.set_weights(network.get_weights())
    probe = keras.Model(half.input, half.get_layer("skip_1").output)
    lightness = images(33, 50)
    assert probe(lightness).dtype == tf.bfloat16
    assert half(lightness).dtype == tf.float32
    assert {each.dtype for each in half.variables} == {"float32"}
    np.testing.assert_allclose(half(lightness), network(lightness), atol=0.05)
