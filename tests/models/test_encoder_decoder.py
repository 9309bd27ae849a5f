"""The encoder-decoder colorizer: alone, with a PatchGAN, and rebuilt from a file."""

import itertools
import json

import keras
import numpy as np
import pytest

from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
from losses.reconstruction import Reconstruction
from metrics.image.colorfulness import Colorfulness
from metrics.image.ssim import SSIM
from models.adversarial_colorizer import Phase
from models.catalog import COLORIZERS
from models.checkpoints.folder import WeightsFolder
from models.encoder_decoder import EncoderDecoder
from models.networks.encoder_recipes import ENCODERS, EncoderRecipe

TINY = {"filters": 2, "encoder": "vgg16", "discriminator_filters": 2}

pytestmark = pytest.mark.usefixtures("tiny_encoder")


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (2, 32, 32, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (2, 32, 32, 2)).astype("float32")
    return lightness, ab


@pytest.fixture
def normalized_encoder(monkeypatch):
    """Replaces VGG16 as the encoder with a tiny network with batch normalization."""

    def build(include_top, weights, input_shape):
        layers = keras.layers
        features = images = keras.Input(input_shape)
        for number in range(1, 6):
            features = layers.Conv2D(2, 3, 2, "same")(features)
            features = layers.BatchNormalization(name=f"half_{number}")(features)
        return keras.Model(images, features)

    names = tuple(f"half_{number}" for number in range(1, 6))
    monkeypatch.setattr(keras.applications, "Normalized", build, raising=False)
    monkeypatch.setitem(ENCODERS, "vgg16", EncoderRecipe("Normalized", names, "signed"))


def compiled(adversarial=None, rate=1e-2, **options):
    keras.utils.set_random_seed(1)
    model = EncoderDecoder(**{**TINY, **options})
    # The last convolution starts with zeros, so that no gradient reaches the layers before.
    embolden(model.generator)
    model.generator_ema.set_weights(model.generator.get_weights())
    model.compile(
        *(keras.optimizers.Adam(rate) for _ in range(2)),
        Reconstruction({"mse": 1.0}),
        adversarial,
        adversarial_weight=0.1,
    )
    return model


def embolden(network):
    random = np.random.default_rng(1)
    last = network.get_layer("ab")
    last.set_weights([random.normal(0, 0.5, each.shape) for each in last.get_weights()])
    # Without normalization the outputs of so few channels are small.
    first = network.get_layer("up_5")
    first.kernel.assign(40.0 * first.kernel)


def values(network):
    return [variable.numpy() for variable in network.trainable_variables]


def all_changed(before, network):
    pairs = zip(before, values(network), strict=True)
    return all(np.any(old != new) for old, new in pairs)


def none_changed(before, network):
    pairs = zip(before, values(network), strict=True)
    return all(np.array_equal(old, new) for old, new in pairs)


def statistics(encoder):
    return [each.numpy() for each in encoder.variables if "moving_" in each.path]


# --- training ------------------------------------------------------------------------------------


def test_the_generator_alone_is_trained_with_its_encoder(batch):
    model = compiled()
    assert model.phase is Phase.GENERATOR
    generator, discriminator = values(model.generator), values(model.discriminator)
    average = model.generator_ema.get_weights()
    assert set(model.train_step(batch)) == {"mse", "generator_loss"}
    assert all_changed(generator, model.generator)
    assert none_changed(discriminator, model.discriminator)
    followed = zip(average, model.generator_ema.get_weights(), strict=True)
    assert all(np.any(old != new) for old, new in followed)


def test_generator_and_discriminator_are_trained_with_an_adversarial_loss(batch):
    model = compiled(VanillaAdversarial(0.0))
    assert model.phase is Phase.BOTH
    generator, discriminator = values(model.generator), values(model.discriminator)
    losses = model.train_step(batch)
    assert set(losses) == {"mse", "generator_loss", "adversarial_loss", "discriminator_loss"}
    total = float(losses["mse"]) + 0.1 * float(losses["adversarial_loss"])
    assert float(losses["generator_loss"]) == pytest.approx(total, rel=1e-5)
    assert all_changed(generator, model.generator)
    assert all_changed(discriminator, model.discriminator)


def test_the_first_step_of_a_fresh_network_changes_its_last_convolution_but_not_its_encoder(batch):
    model = EncoderDecoder(**TINY)
    model.compile(
        keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2), Reconstruction({"mse": 1.0})
    )
    encoder, last = model.generator.get_layer("vgg16"), model.generator.get_layer("ab")
    encoder_before, last_before = values(encoder), values(last)
    loss = float(model.train_step(batch)["mse"])
    assert loss == pytest.approx(float(np.mean(batch[1] ** 2)), rel=1e-5)
    assert none_changed(encoder_before, encoder)
    assert all_changed(last_before, last)
    model.train_step(batch)
    assert not none_changed(encoder_before, encoder)


def test_training_reduces_the_loss(batch):
    model = compiled(skip_connections=True)
    losses = []
    for _ in range(8):
        model.reset_metrics()
        losses.append(float(model.train_step(batch)["mse"]))
    assert losses[-1] < 0.9 * losses[0], losses


@pytest.mark.parametrize(
    "options",
    [
        {"skip_connections": True, "attention_level": 2},
        pytest.param({}, marks=pytest.mark.slow),
    ],
)
def test_every_architecture_trains_with_a_gradient_penalty(batch, options):
    model = compiled(WassersteinAdversarial(10.0), norm="batch", **options)
    losses = model.train_step(batch)
    assert float(losses["gradient_penalty"]) > 0
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    # The score of an image does not depend on the other images of the batch.
    lab = np.random.default_rng(2).uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    together, alone = model.score(lab), model.score(lab[:1])
    np.testing.assert_allclose(together[:1], alone, atol=1e-6)


def test_losses_and_metrics_of_one_kind_do_not_share_a_name(batch):
    model = EncoderDecoder(**TINY)
    model.compile(
        keras.optimizers.Adam(1e-2),
        keras.optimizers.Adam(1e-2),
        Reconstruction({"ssim": 1.0, "colorfulness": 0.5}),
        validation_metrics=[SSIM(), Colorfulness()],
    )
    results = {name: float(value) for name, value in model.test_step(batch).items()}
    assert set(results) == {"ssim_loss", "colorfulness_loss", "loss", "ssim", "colorfulness"}
    # A fresh network colors in gray, inside sRGB, where the loss follows from the metric.
    assert results["colorfulness_loss"] == pytest.approx(
        1 - results["colorfulness"] / 100, abs=1e-3
    )
    total = results["ssim_loss"] + 0.5 * results["colorfulness_loss"]
    assert results["loss"] == pytest.approx(total, rel=1e-5)
    trained = model.train_step(batch)
    assert set(trained) == {"ssim_loss", "colorfulness_loss", "generator_loss"}


def test_colors_are_those_of_the_generator_ema(batch):
    model = compiled()
    model.train_step(batch)
    ab = model(batch[0])
    np.testing.assert_array_equal(ab, model.generator_ema(batch[0]))
    assert np.abs(ab - model.generator(batch[0])).max() > 0


# --- the architecture ----------------------------------------------------------------------------


ARCHITECTURES = [
    {},
    {"filters": 3, "norm": "instance", "skip_connections": True},
    {"norm": "batch", "attention_level": 3, "freeze_encoder_statistics": True},
]


@pytest.mark.parametrize("options", ARCHITECTURES)
def test_the_architecture_rebuilds_the_network(batch, tmp_path, options):
    model = compiled(**options)
    model.train_step(batch)
    folder = WeightsFolder(tmp_path)
    folder.write_settings({"model": "encoder_decoder", "architecture": model.architecture})
    folder.save_generator(model.generator_ema)
    architecture = folder.read_settings()["architecture"]
    assert {**TINY, **options}.items() <= architecture.items()
    rebuilt = COLORIZERS["encoder_decoder"].build_generator(architecture)
    folder.load_generator(rebuilt)
    expected = model(batch[0])
    assert np.std(expected, axis=(1, 2)).min() > 0.01
    np.testing.assert_allclose(rebuilt(batch[0]), expected, atol=1e-6)


def test_the_architecture_has_all_arguments_of_the_constructor():
    model = EncoderDecoder(**TINY, skip_connections=True, attention_level=4)
    copy = EncoderDecoder(**json.loads(json.dumps(model.architecture)))
    assert copy.architecture == model.architecture
    for network in ("generator", "generator_ema", "discriminator"):
        shapes = [each.shape for each in getattr(model, network).variables]
        assert [each.shape for each in getattr(copy, network).variables] == shapes


@pytest.mark.parametrize("freeze_statistics", [True, False])
def test_statistics_of_the_encoder_are_frozen_if_requested(
    batch, normalized_encoder, freeze_statistics
):
    model = compiled(freeze_encoder_statistics=freeze_statistics, norm="batch")
    encoder = model.generator.get_layer("vgg16")
    before = statistics(encoder)
    assert len(before) == 10
    decoder_layer = model.generator.get_layer("up_5")
    decoder_before = values(decoder_layer)
    model.train_step(batch)
    after = statistics(encoder)
    same = [np.array_equal(old, new) for old, new in zip(before, after, strict=True)]
    assert same == [freeze_statistics] * 10
    assert all_changed(decoder_before, decoder_layer)
    average = statistics(model.generator_ema.get_layer("vgg16"))
    np.testing.assert_array_equal(average, after)


def test_both_generators_start_with_the_weights_of_the_encoder(normalized_encoder, tmp_path):
    network = keras.applications.Normalized(False, None, (None, None, 3))
    random = np.random.default_rng(3)
    network.set_weights([random.uniform(0.2, 1, each.shape) for each in network.get_weights()])
    path = str(tmp_path / "encoder.weights.h5")
    network.save_weights(path)
    model = EncoderDecoder(**TINY, encoder_weights=path)
    for generator in (model.generator, model.generator_ema):
        found = generator.get_layer("vgg16").get_weights()
        for left, right in zip(found, network.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("filters", [2, 5])
def test_discriminator_is_a_patchgan_with_the_requested_filters(filters):
    model = EncoderDecoder(**{**TINY, "discriminator_filters": filters})
    widths = [3, filters, 2 * filters, 4 * filters, 8 * filters, 1]
    expected = sum(
        16 * inputs * outputs + outputs for inputs, outputs in itertools.pairwise(widths)
    )
    assert model.discriminator.count_params() == expected
    assert model.score(np.zeros((1, 64, 64, 3), "float32")).shape == (1, 6, 6, 1)
