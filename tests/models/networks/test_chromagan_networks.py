"""The networks of ChromaGAN: the shapes and weight counts of the paper, sizes, and layers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.networks.chromagan_networks import (
    chromagan_generator,
    class_head,
    with_image_features,
)
from models.networks.discriminators import patch_discriminator
from models.networks.encoders import pretrained_encoder

# The 3x3 convolutions of VGG16 up to its fourth block: input and output channels.
VGG16_TO_BLOCK_4 = [(3, 64), (64, 64), (64, 128), (128, 128)]
VGG16_TO_BLOCK_4 += [(128, 256), (256, 256), (256, 256), (256, 512), (512, 512), (512, 512)]


def trained(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def convolution(channels, filters, size=3):
    return size * size * channels * filters + filters


def normalized(channels, filters):
    """The weights of a 3x3 convolution without bias, and a scale and an offset per channel."""
    return 9 * channels * filters + 2 * filters


def dense(inputs, units):
    return inputs * units + units


@pytest.fixture(scope="module")
def flat(without_values):
    with without_values():
        return both(chromagan_generator(global_features="flatten", resolution=224))


@pytest.fixture(scope="module")
def pooled(without_values):
    with without_values():
        return both(chromagan_generator(global_features="pool"))


def tiny(**options):
    keras.utils.set_random_seed(1)
    return both(chromagan_generator(**{"filters": 2, "global_features": "pool", **options}))


def both(network):
    """The generator, and with the features of the whole image."""
    return network, with_image_features(network)


def layer_shape(network, name):
    return tuple(network.get_layer(name).output.shape)[1:]


# --- the paper -----------------------------------------------------------------------------------


def test_shapes_at_224_px_are_those_of_the_figure(flat):
    network, with_features = flat
    assert network.input_shape == (None, 224, 224, 1)
    for name in ("mid_1", "fusion"):
        assert layer_shape(network, name) == (28, 28, 512)
    assert layer_shape(network, "mid_2") == (28, 28, 256)
    for name, side in (("global_1", 14), ("global_2", 14), ("global_3", 7), ("global_4", 7)):
        assert layer_shape(network, name) == (side, side, 512)
    assert [layer_shape(network, f"dense_{number}") for number in (1, 2, 3)] == [
        (1024,),
        (512,),
        (256,),
    ]
    # Half of the fused features are local, half describe the whole image.
    local_features, vector = network.get_layer("fusion").input
    assert (local_features.shape[1:], vector.shape[1:]) == ((28, 28, 256), (256,))
    upsampling = [layer for layer in network.layers if isinstance(layer, keras.layers.UpSampling2D)]
    assert [tuple(layer.output.shape)[1:] for layer in upsampling] == [
        (56, 56, 128),
        (112, 112, 64),
        (224, 224, 2),
    ]
    assert [layer.interpolation for layer in upsampling] == ["nearest", "nearest", "bilinear"]
    assert network.output_shape == (None, 224, 224, 2)
    assert [output.shape for output in with_features.outputs] == [
        (None, 224, 224, 2),
        (None, 7, 7, 512),
    ]


def test_network_of_any_size_has_the_shapes_of_the_figure_at_224_px(pooled):
    network, with_features = pooled
    encoder = network.get_layer("vgg16")
    fused = network.get_layer("fusion").output
    probe = keras.Model(network.input, [fused, *with_features.outputs])
    outputs = probe(keras.KerasTensor((1, 224, 224, 1)))
    assert [each.shape for each in outputs] == [
        (1, 28, 28, 512),
        (1, 224, 224, 2),
        (1, 7, 7, 512),
    ]
    assert encoder(keras.KerasTensor((1, 224, 224, 3)))[-1].shape == (1, 28, 28, 512)


def test_vector_of_the_image_is_the_same_at_every_position(tiny_encoder):
    network, _ = tiny()
    lightness = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 1)).astype("float32")
    fused = keras.Model(network.input, network.get_layer("fusion").output)(lightness).numpy()
    assert fused.shape == (1, 4, 4, 16)
    assert np.ptp(fused[..., 8:], axis=(1, 2)).max() == 0.0
    assert np.ptp(fused[..., :8], axis=(1, 2)).max() > 0.0


def test_encoder_is_vgg16_up_to_the_fourth_block(pooled, without_values):
    encoder = pooled[0].get_layer("vgg16")
    expected = sum(convolution(*pair) for pair in VGG16_TO_BLOCK_4)
    assert encoder.count_params() == expected == 7_635_264
    with without_values():
        whole = keras.applications.VGG16(weights=None, include_top=False)
    last = whole.get_layer("block4_conv3")
    layers = whole.layers[: whole.layers.index(last) + 1]
    assert sum(layer.count_params() for layer in layers) == expected


@pytest.mark.parametrize(
    ("global_features", "generator", "head"),
    [("pool", 22_354_594, 22_979_560), ("flatten", 47_520_418, 123_642_856)],
)
def test_networks_have_as_many_weights_as_the_layers_of_the_paper(
    request, without_values, global_features, generator, head
):
    network, with_features = request.getfixturevalue(
        {"pool": "pooled", "flatten": "flat"}[global_features]
    )
    inputs = 512 if global_features == "pool" else 7 * 7 * 512
    decoder = [(512, 256, 1), (256, 128), (128, 64), (64, 64), (64, 32), (32, 2)]
    expected = sum(
        [
            sum(convolution(*pair) for pair in VGG16_TO_BLOCK_4),
            4 * normalized(512, 512),
            dense(inputs, 1024) + dense(1024, 512) + dense(512, 256),
            normalized(512, 512) + normalized(512, 256),
            sum(convolution(*each) for each in decoder),
        ]
    )
    assert trained(network) == trained(with_features) == expected == generator
    with without_values():
        classes = class_head((7, 7, 512), 1000, global_features=global_features)
    assert trained(classes) == head
    assert head == dense(inputs, 4096) + dense(4096, 4096) + dense(4096, 1000)


def test_class_head_has_the_layers_of_the_paper(without_values):
    with without_values():
        head = class_head((None, None, 512), 1000, global_features="pool")
    units = [layer.units for layer in head.layers if isinstance(layer, keras.layers.Dense)]
    assert units == [4096, 4096, 1000]
    assert head.output_shape == (None, 1000)


def test_discriminator_has_as_many_weights_as_the_patchgan():
    expected = sum(
        convolution(*pair, size=4)
        for pair in [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    )
    assert trained(patch_discriminator(64, norm="none")) == expected == 2_764_737


@pytest.mark.parametrize("encoder", ["vgg16", "mobilenet_v2"])
def test_encoder_is_cut_off_at_an_eighth_of_the_size(without_values, encoder):
    with without_values():
        found = pretrained_encoder(encoder, None, halvings=3)
        assert [each.shape[1] for each in found(keras.KerasTensor((1, 64, 64, 3)))] == [32, 16, 8]
        network, _ = tiny(encoder=encoder)
        assert network(keras.KerasTensor((1, 32, 32, 1))).shape == (1, 32, 32, 2)


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(32, 32), (24, 40), (37, 50), (1, 1)])
def test_pool_colors_any_size(tiny_encoder, size):
    network, with_features = tiny()
    lightness = np.zeros((2, *size, 1), "float32")
    assert network(lightness).shape == (2, *size, 2)
    ab, features = with_features(lightness)
    assert ab.shape == (2, *size, 2)
    assert features.shape == (2, *(-(-side // 32) for side in size), 16)


@pytest.mark.parametrize("resolution", [32, 36, 41])
def test_flatten_colors_only_one_size(tiny_encoder, resolution):
    network, with_features = tiny(global_features="flatten", resolution=resolution)
    assert network.input_shape == (None, resolution, resolution, 1)
    ab, features = with_features(np.zeros((2, resolution, resolution, 1), "float32"))
    assert ab.shape == (2, resolution, resolution, 2)
    assert tuple(features.shape[1:]) == tuple(with_features.outputs[1].shape[1:])
    for other in (resolution - 8, resolution + 8):
        with pytest.raises(ValueError, match="shape"):
            network(np.zeros((1, other, other, 1), "float32"))


# --- layers and precision ------------------------------------------------------------------------


@pytest.mark.parametrize(("norm", "kind"), [("batch", "Batch"), ("instance", "Group")])
def test_convolutions_at_an_eighth_of_the_size_and_below_are_normalized(tiny_encoder, norm, kind):
    network, _ = tiny(norm=norm)
    norms = [layer for layer in network.layers if "Normalization" in type(layer).__name__]
    assert len(norms) == 6
    assert all(kind in type(layer).__name__ for layer in norms)
    assert not network.get_layer("mid_1").use_bias


def test_without_normalization_there_are_biases(tiny_encoder):
    network, _ = tiny(norm="none")
    assert not [layer for layer in network.layers if "Normalization" in type(layer).__name__]
    assert network.get_layer("mid_1").use_bias


def test_fresh_network_colors_in_gray(tiny_encoder):
    network, _ = tiny()
    lightness = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1)).astype("float32")
    ab = network(lightness)
    assert 0.0 < np.abs(ab).max() < 0.05


def test_both_networks_share_their_layers(tiny_encoder):
    network, with_features = tiny()
    assert network.layers == with_features.layers
    lightness = np.random.default_rng(0).uniform(-1, 1, (2, 32, 32, 1)).astype("float32")
    np.testing.assert_array_equal(network(lightness), with_features(lightness)[0])


def test_bfloat16_computes_inside_and_colors_and_logits_are_float32(tiny_encoder):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    network, with_features = tiny()
    ab, features = with_features(np.zeros((1, 32, 32, 1), "float32"))
    assert (ab.dtype, features.dtype) == (tf.float32, tf.bfloat16)
    assert network.get_layer("fusion").output.dtype == "bfloat16"
    logits = class_head(features.shape[1:], 5, 2, "pool")(features)
    assert logits.dtype == tf.float32
    assert all(weight.dtype == "float32" for weight in network.trainable_variables)


def test_unknown_global_features_are_refused():
    with pytest.raises(
        ValueError, match=r"`global_features` should be one of .* Received: .*'sum'"
    ):
        chromagan_generator(global_features="sum", resolution=None)


def test_a_single_filter_is_enough(tiny_encoder):
    network = chromagan_generator(filters=1, global_features="pool")
    assert network(np.zeros((1, 32, 32, 1), "float32")).shape == (1, 32, 32, 2)
