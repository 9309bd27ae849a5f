"""What Keras can serialize survives `from_config`, `clone_model` and a `.keras` file."""

import importlib
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import models.layers
from data.color.ab_bins import BINS
from metrics.image.psnr import PSNR
from models.catalog import COLORIZERS
from models.layers.depthwise_convolution import DepthwiseConv2D
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.layers.gray_image import GrayImage
from models.layers.hint_attention import HintAttention
from models.layers.hint_squares import HintSquares, OnlyWithHints
from models.layers.padding import CropLike, PadToMultiple
from models.layers.palette_colors import PaletteColors
from models.layers.relu6 import ReLU6
from models.layers.repeat_over_grid import RepeatOverGrid
from models.layers.resizing import EnlargeToAtLeast, ResizeLike
from models.layers.resumable_dropout import ResumableDropout
from models.layers.self_attention import SelfAttention
from models.layers.spectral_normalization import SpectralNormalization
from models.layers.wide_convolution import WideConv2D
from models.layers.wide_transposed_convolution import WideConv2DTranspose
from models.networks.chromagan_networks import chromagan_generator
from models.networks.discriminators import (
    conv4_discriminator,
    patch_discriminator,
    pixel_discriminator,
    vgg_discriminator,
)
from models.networks.encoder_decoder import encoder_decoder
from models.networks.pix2pix_unet import pix2pix_unet
from models.networks.unet import unet

# Functions without arguments, and the shapes of the inputs.
LAYERS = {
    CropLike: (lambda: CropLike(2), [(2, 8, 8, 3), (2, 13, 15, 1)]),
    DepthwiseConv2D: (lambda: DepthwiseConv2D(3, strides=2), [(2, 9, 9, 3)]),
    EnlargeToAtLeast: (lambda: EnlargeToAtLeast(12), [(2, 8, 9, 3)]),
    FusedBatchNormalization: (lambda: FusedBatchNormalization(momentum=0.8), [(2, 4, 4, 3)]),
    GrayImage: (GrayImage, [(2, 4, 4, 1)]),
    HintAttention: (
        lambda: HintAttention(heads=2, size=3),
        [(2, 4, 6, 5), (2, 4, 6, 2), (2, 4, 6, 1)],
    ),
    HintSquares: (lambda: HintSquares(2), [(2, 4, 6, 3)]),
    OnlyWithHints: (OnlyWithHints, [(2, 4, 4, 2), (2, 8, 8, 3), (2, 529)]),
    PaletteColors: (PaletteColors, [(2, 3, 4, 529), (2, 529)]),
    PadToMultiple: (lambda: PadToMultiple(4), [(2, 5, 6, 3)]),
    ReLU6: (ReLU6, [(2, 5, 6, 3)]),
    RepeatOverGrid: (RepeatOverGrid, [(2, 4, 5, 2), (2, 3)]),
    ResizeLike: (ResizeLike, [(2, 4, 4, 3), (2, 7, 9, 1)]),
    ResumableDropout: (lambda: ResumableDropout(0.5), [(2, 4, 4, 3)]),
    SelfAttention: (lambda: SelfAttention(reduction=2, pool=2), [(2, 5, 6, 4)]),
    SpectralNormalization: (
        lambda: SpectralNormalization(keras.layers.Conv2D(4, 3), power_iterations=2),
        [(2, 6, 6, 3)],
    ),
    WideConv2D: (lambda: WideConv2D(4, 3, strides=2), [(2, 9, 9, 3)]),
    WideConv2DTranspose: (lambda: WideConv2DTranspose(4, 3, strides=2), [(2, 5, 5, 3)]),
}

NETWORKS = {
    "unet": (lambda: unet(2, depth=2, attention_level=1), 1),
    "coarse unet": (lambda: unet(2, encoder="vgg16", color_stride=4, attention_pool=2), 1),
    "hinted unet": (lambda: unet(2, depth=2, attention_level=1, hints=True), (1, 3)),
    "pix2pix_unet": (lambda: pix2pix_unet(3, 2, attention_level=1), 1),
    "encoder_decoder": (lambda: encoder_decoder(2, encoder="vgg16"), 1),
    "chromagan": (lambda: chromagan_generator(2, global_features="pool", resolution=None), 1),
    "vgg": (lambda: vgg_discriminator(2, depth=2, attention_level=1, attention_pool=2), 3),
    "patch": (lambda: patch_discriminator(2), 3),
    "pixel": (lambda: pixel_discriminator(2), 3),
    "conv4": (lambda: conv4_discriminator(2), 3),
}

MODELS = {
    "sagan": {
        **{"filters": 2, "depth": 1, "attention_level": 1, "discriminator_filters": 2},
        **{"color_stride": 2, "hints": True},
    },
    "pix2pix": {"filters": 2, "depth": 3, "discriminator_filters": 2, "attention_level": 1},
    "chromagan": {
        **{"filters": 2, "encoder": "vgg16", "global_features": "pool"},
        **{"classes": 3, "discriminator_filters": 2},
    },
    "encoder_decoder": {"filters": 2, "encoder": "vgg16", "discriminator_filters": 2},
}


def random_arrays(*shapes, seed=0):
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, shape).astype("float32") for shape in shapes]


def test_every_layer_is_tested():
    found = set()
    for module in pkgutil.iter_modules(models.layers.__path__, "models.layers."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, keras.layers.Layer) and kind.__module__ == module.name:
                found.add(kind)
    assert found == set(LAYERS)


@pytest.mark.parametrize("kind", LAYERS, ids=lambda kind: kind.__name__)
def test_layers_survive_a_config_and_a_file(kind, tmp_path):
    make, shapes = LAYERS[kind]
    inputs = [keras.Input(shape[1:]) for shape in shapes]
    layer = make()
    network = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    again = kind.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    arrays = random_arrays(*shapes)
    np.testing.assert_array_equal(loaded(arrays), network(arrays))


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_survive_cloning_and_a_file(name, tmp_path):
    make, channels = NETWORKS[name]
    network = make()
    height = 128 if name == "conv4" else 32
    shapes = [(1, height, 128, each) for each in np.atleast_1d(channels)]
    if len(shapes) > 1:
        shapes.append((1, BINS))
    images = random_arrays(*shapes)
    images = images if len(images) > 1 else images[0]
    clone = keras.models.clone_model(network)
    clone.set_weights(network.get_weights())
    np.testing.assert_array_equal(clone(images), network(images))
    network.save(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(images), network(images))


@pytest.mark.usefixtures("tiny_encoder")
@pytest.mark.parametrize("name", COLORIZERS)
def test_models_survive_a_config(name):
    model = COLORIZERS[name](**MODELS[name], ema_decay=0.5, name="mine")
    config = model.get_config()
    assert config.items() >= {**MODELS[name], "ema_decay": 0.5, "name": "mine"}.items()
    again = type(model).from_config(config)
    assert again.get_config() == config
    again.set_weights(model.get_weights())
    [lightness] = random_arrays((1, 32, 32, 1))
    np.testing.assert_array_equal(again(lightness), model(lightness))


@pytest.mark.usefixtures("without_graphs", "tiny_encoder")
@pytest.mark.parametrize("name", COLORIZERS)
def test_trained_models_survive_a_file(name, tmp_path):
    # The hints of a SAGAN take long, and are in a test of its network.
    model = COLORIZERS[name](**{**MODELS[name], **({"hints": False} if name == "sagan" else {})})
    model.compile(
        keras.optimizers.Adam(1e-3),
        keras.optimizers.SGD(1e-3, momentum=0.9),
        reconstruction={"l1": 2.0, "ssim": 1.0},
        # The random numbers of the penalty depend on the steps of the loaded optimizer.
        adversarial="wgan-gp" if name == "encoder_decoder" else "hinge",
        adversarial_weight=0.5,
        seed=7,
        validation_metrics=[PSNR()],
    )
    shapes = [(2, 32, 32, 1), (2, 32, 32, 2)]
    if name == "chromagan":
        shapes.append((2, 3))
    first, second = (tuple(random_arrays(*shapes, seed=seed)) for seed in range(2))
    model.train_step(first)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_compile_config() == model.get_compile_config()
    assert_same(loaded, model, first[0])
    # One more step moves both alike only if both optimizers go on from their moments.
    for trained in (loaded, model):
        trained.train_step(second)
    assert_same(loaded, model, first[0])


def assert_same(loaded, model, lightness):
    for left, right in zip(state(loaded), state(model), strict=True):
        np.testing.assert_array_equal(left, right)
    np.testing.assert_array_equal(loaded(lightness), model(lightness))


def state(model):
    """The variables of the networks and of both optimizers."""
    parts = (model, model.generator_optimizer, model.discriminator_optimizer)
    return [np.asarray(variable) for part in parts for variable in part.variables]
