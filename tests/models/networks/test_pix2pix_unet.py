"""The generator of pix2pix: sizes, normalization, dropout and attention."""

import keras
import numpy as np
import pytest

from models.networks.pix2pix_unet import pix2pix_unet


def test_dropout_resumes_where_it_stopped(tmp_path):
    keras.utils.set_random_seed(1)
    network = pix2pix_unet(6, filters=2)
    [dropout] = [layer for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    assert (dropout.rate, dropout.output.shape[-1]) == (0.5, 16)
    images = np.ones((2, 64, 64, 1), "float32")
    network(images, training=True)
    network.save_weights(tmp_path / "network.weights.h5")
    expected = network(images, training=True)
    other = pix2pix_unet(6, filters=2)
    other.load_weights(tmp_path / "network.weights.h5")
    np.testing.assert_allclose(other(images, training=True), expected, atol=1e-5)


@pytest.mark.parametrize("size", [(32, 32), (21, 50), (1, 1)])
@pytest.mark.parametrize("options", [{}, {"input_channels": 3}, {"norm": "instance"}])
def test_any_size_is_colored(size, options):
    network = pix2pix_unet(3, filters=2, **options)
    assert network(np.zeros((2, *size, 1), "float32")).shape == (2, *size, 2)


def test_repeated_lightness_channels_have_their_own_weights():
    one, three = (pix2pix_unet(2, filters=4, input_channels=number) for number in (1, 3))
    assert three.count_params() - one.count_params() == 2 * 4 * 4 * 4


@pytest.mark.parametrize(("downs", "sizes"), [(5, []), (7, [4, 8]), (8, [4, 8, 16])])
def test_dropout_is_in_the_inner_blocks_except_the_innermost(downs, sizes):
    network = pix2pix_unet(downs, filters=2)
    dropped = [layer.output for layer in network.layers if isinstance(layer, keras.layers.Dropout)]
    probe = keras.Model(network.inputs, [*dropped, network.output])
    outputs = probe([np.zeros((1, 2**downs, 2**downs, 1), "float32")])[:-1]
    assert [output.shape[1:] for output in outputs] == [(size, size, 16) for size in sizes]


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_first_and_last_convolution_of_the_encoder_path_are_not_normalized(norm):
    network = pix2pix_unet(4, filters=2, norm=norm)
    kinds = ("FusedBatchNormalization", "GroupNormalization")
    norms = [layer for layer in network.layers if type(layer).__name__ in kinds]
    # Two of four on the encoder path, and all but the last on the decoder path.
    assert len(norms) == (0 if norm == "none" else 2 + 3)


def test_initial_weights_are_small_and_differ_between_kernels():
    network = pix2pix_unet(8, filters=8)
    kernels = [network.get_layer(f"down_{level}").kernel.numpy() for level in (5, 6)]
    assert np.std(kernels[0]) == pytest.approx(0.02, rel=0.02)
    assert not np.array_equal(*kernels)


def attentions(network):
    return [layer for layer in network.layers if type(layer).__name__ == "SelfAttention"]


@pytest.mark.parametrize(("level", "channels"), [(1, 4), (2, 8), (4, 32)])
def test_attention_is_on_the_decoder_path_at_the_requested_level(level, channels):
    network = pix2pix_unet(5, filters=2, attention_level=level)
    [attention] = attentions(network)
    features = keras.Model(network.input, attention.output)(np.zeros((1, 64, 96, 1), "float32"))
    # Half of the channels are from the level below, half from the skip connection.
    assert features.shape == (1, 64 // 2**level, 96 // 2**level, channels)
    inner = max(1, channels // 8)
    convolution_weights = 3 * (channels * inner + inner) + inner * channels + channels
    power_vectors = 4 * (channels + inner)
    added = network.count_params() - pix2pix_unet(5, filters=2).count_params()
    assert added == convolution_weights + power_vectors + 1


def test_attention_works_with_an_encoder_too(tiny_encoder):
    network = pix2pix_unet(filters=2, encoder="vgg16", attention_level=3)
    [attention] = attentions(network)
    features = keras.Model(network.input, attention.output)(np.zeros((1, 64, 96, 1), "float32"))
    # Four channels are from the encoder, and 2 x 4 from the decoder.
    assert features.shape == (1, 8, 12, 4 + 8)
