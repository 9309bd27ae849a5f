"""The U-Net: image sizes, attention and normalization, with and without an encoder."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from errors import InputError
from models.layers.self_attention import SelfAttention
from models.networks.encoders import pretrained_encoder
from models.networks.unet import unet

PRETRAINED = Path(__file__).resolve().parents[4] / "shared" / "pretrained"
MOBILENET = PRETRAINED / "mobilenet_v2_1.0_224.weights.h5"


@pytest.fixture(scope="module")
def plain():
    return unet(filters=2, depth=3, attention_level=1)


@pytest.fixture
def encoded(tiny_encoder):
    return unet(filters=2, attention_level=2, encoder="vgg16")


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (7, 30), (33, 65)])
def test_any_height_and_width(plain, encoded, size):
    lightness = np.zeros((2, *size, 1), "float32")
    assert plain(lightness).shape == (2, *size, 2)
    assert encoded(lightness).shape == (2, *size, 2)


def test_padding_repeats_the_border(plain):
    # An odd image is colored as the same image with its last row and column repeated.
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, 15, 13, 1)).astype("float32")
    padded = np.pad(lightness, ((0, 0), (0, 1), (0, 3), (0, 0)), mode="edge")
    np.testing.assert_allclose(plain(lightness), plain(padded)[:, :15, :13], atol=1e-6)


def test_a_fresh_network_colors_in_gray(plain):
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 1)).astype("float32")
    assert np.abs(plain(lightness)).max() < 0.2


@pytest.mark.parametrize(
    ("attention_level", "names"),
    [
        (1, {"attention_down", "attention_up"}),
        (3, {"attention_down", "attention_up"}),
        (None, set()),
    ],
)
def test_attention_is_on_the_encoder_path_and_the_decoder_path(attention_level, names):
    network = unet(filters=2, depth=3, attention_level=attention_level)
    assert {layer.name for layer in network.layers if "attention" in layer.name} == names


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize("stride", [2, 4])
@pytest.mark.parametrize("encoder", ["none", "vgg16"])
def test_colors_may_be_coarser_than_the_image(stride, encoder):
    network = unet(2, depth=3, attention_level=2, encoder=encoder, color_stride=stride)
    assert network.output_shape == (None, None, None, 2)
    for height, width in ((32, 16), (7, 30), (1, 1)):
        lightness = np.zeros((1, height, width, 1), "float32")
        assert network(lightness).shape == (1, -(-height // stride), -(-width // stride), 2)


def test_coarse_colors_cover_the_whole_image():
    # An odd image is colored as the same image with its last row and column repeated.
    network = unet(2, depth=3, attention_level=2, color_stride=4)
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, 15, 13, 1)).astype("float32")
    padded = np.pad(lightness, ((0, 0), (0, 1), (0, 3), (0, 0)), mode="edge")
    np.testing.assert_allclose(network(lightness), network(padded), atol=1e-6)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"color_stride": 3}, "a power of 2 of at most 8. Received: `color_stride=3`"),
        ({"color_stride": 16}, "a power of 2 of at most 8. Received: `color_stride=16`"),
        (
            {"color_stride": 4, "attention_level": 1},
            "at least 2 with `color_stride=4`. Received: `attention_level=1`",
        ),
    ],
)
def test_colors_that_no_level_has(options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        unet(filters=2, depth=3, **options)


def test_attention_may_pool_on_both_paths():
    network = unet(filters=2, depth=3, attention_level=2, attention_pool=2)
    layers = [layer for layer in network.layers if isinstance(layer, SelfAttention)]
    assert [layer.pool for layer in layers] == [2, 2]


def test_every_level_has_a_skip_connection(plain, encoded):
    def joins(network):
        return sum(isinstance(layer, keras.layers.Concatenate) for layer in network.layers)

    assert joins(plain) == 3
    assert joins(encoded) == 5


@pytest.mark.parametrize("norm", ["batch", "instance", "none"])
def test_norms(norm):
    network = unet(filters=2, depth=1, attention_level=None, norm=norm)
    kinds = {type(layer).__name__ for layer in network.layers}
    assert ("FusedBatchNormalization" in kinds) == (norm == "batch")
    assert ("GroupNormalization" in kinds) == (norm == "instance")


def test_missing_and_broken_encoder_weights_are_an_error(tiny_encoder, tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        pretrained_encoder("vgg16", str(tmp_path / "absent.weights.h5"))
    wrong = tmp_path / "wrong.weights.h5"
    wrong.write_bytes(b"no weights")
    with pytest.raises(InputError, match="not weights of Tiny"):
        pretrained_encoder("vgg16", str(wrong))


# Quicker tests load files of a small network.
@pytest.mark.slow
def test_encoder_loads_files_with_and_without_the_classifier(tmp_path):
    keras.utils.set_random_seed(3)
    whole = keras.applications.MobileNetV2(weights=None)
    headless = keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(None, None, 3)
    )
    for layer in headless.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    images = np.random.default_rng(0).uniform(0, 1, (1, 64, 64, 3)).astype("float32")
    expected = headless(images * 2 - 1)
    for network, name in ((whole, "whole.weights.h5"), (headless, "headless.weights.h5")):
        network.save_weights(tmp_path / name)
        features = pretrained_encoder("mobilenet_v2", str(tmp_path / name))(images)
        np.testing.assert_allclose(features[-1], expected, atol=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not MOBILENET.exists(), reason=f"{MOBILENET.name} is missing")
def test_encoder_with_imagenet_weights_equals_the_network_of_keras():
    features = pretrained_encoder("mobilenet_v2", str(MOBILENET))
    whole = keras.applications.MobileNetV2(weights=str(MOBILENET))
    images = np.random.default_rng(0).uniform(0, 1, (1, 224, 224, 3)).astype("float32")
    last = keras.Model(whole.input, whole.get_layer("out_relu").output)
    np.testing.assert_allclose(features(images)[-1], last(images * 2 - 1), atol=1e-3)
