"""Pretrained encoders: five halvings, the preparation of images, and weights files."""

import dataclasses
import importlib

import keras
import numpy as np
import pytest
from skimage.transform import resize

from errors import InputError
from models.layers.resizing import EnlargeToAtLeast
from models.networks.encoder_recipes import ENCODERS, EncoderRecipe
from models.networks.encoders import pretrained_encoder

IMAGES = np.random.default_rng(0).uniform(0, 1, (1, 64, 64, 3)).astype("float32")


def encoder(name):
    if name == "resnet18":
        pytest.importorskip("keras_hub", reason="KerasHub is not installed")
    return pretrained_encoder(name, None)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "inception_resnet_v2" else name
        for name in ENCODERS
    ],
)
def test_each_level_is_half_of_the_one_before(without_values, name):
    with without_values():
        found = encoder(name)
        assert found.name == name
        for height, width in ((64, 64), (128, 96)):
            features = found(keras.KerasTensor((1, height, width, 3)))
            halves = [(height // 2**number, width // 2**number) for number in range(1, 6)]
            assert [each.shape[1:3] for each in features] == halves


@pytest.mark.parametrize(
    "name", ["vgg16", "resnet50", pytest.param("inception_resnet_v2", marks=pytest.mark.slow)]
)
def test_images_are_prepared_as_keras_prepares_them(without_values, name):
    expected = getattr(keras.applications, name).preprocess_input(255.0 * IMAGES)
    with without_values():
        whole = encoder(name)
    prepared = keras.Model(whole.inputs, whole.get_layer("prepare").output)(IMAGES)
    np.testing.assert_allclose(prepared, expected, atol=1e-3)


def test_encoder_equals_the_network_of_keras():
    keras.utils.set_random_seed(1)
    found = pretrained_encoder("resnet50", None)
    keras.utils.set_random_seed(1)
    whole = keras.applications.ResNet50(
        weights=None, include_top=False, input_shape=(None, None, 3)
    )
    expected = whole(keras.applications.resnet50.preprocess_input(255.0 * IMAGES))
    np.testing.assert_allclose(found(IMAGES)[-1], expected, rtol=1e-3, atol=1e-3)


def test_encoder_of_a_package_that_is_not_installed_is_a_one_line_error(monkeypatch):
    def import_module(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", import_module)
    for weights in (None, "imagenet", "some.weights.h5"):
        with pytest.raises(InputError) as caught:
            pretrained_encoder("resnet18", weights)
        message = str(caught.value)
        assert message.startswith("the encoder resnet_18_imagenet needs KerasHub: pip install")
        assert len(message.splitlines()) == 1


@pytest.mark.parametrize("freeze_statistics", [True, False])
def test_statistics_of_the_weights_are_frozen_in_training_if_requested(freeze_statistics):
    encoder = pretrained_encoder(
        "mobilenet_v2", None, halvings=2, freeze_statistics=freeze_statistics
    )
    before = [each.numpy() for each in encoder.non_trainable_variables]
    in_inference = encoder(IMAGES, training=False)[-1]
    in_training = encoder(IMAGES, training=True)[-1]
    assert np.allclose(in_inference, in_training, atol=1e-5) is freeze_statistics
    after = [each.numpy() for each in encoder.non_trainable_variables]
    same = [np.array_equal(old, new) for old, new in zip(before, after, strict=True)]
    assert len(same) > 4
    assert all(same) is freeze_statistics
    # Scales and offsets are trained in both cases.
    assert {each.name for each in encoder.trainable_variables} >= {"gamma", "beta"}


# --- InceptionResNetV2 ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def inception():
    """The network of Keras."""
    keras.utils.set_random_seed(2)
    return keras.applications.InceptionResNetV2(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )


@pytest.fixture(scope="module")
def inception_encoder(inception):
    """The encoder with the same weights, and without the missing padding."""
    with pytest.MonkeyPatch.context() as patch:
        # Building it once more would take seconds.
        patch.setattr(keras.applications, "InceptionResNetV2", lambda **options: inception)
        return pretrained_encoder("inception_resnet_v2", None, exact=False)


def before_each_halving(network):
    """A model of the inputs of the network's poolings and of its last features."""
    poolings = [each for each in network.layers if isinstance(each, keras.layers.MaxPooling2D)]
    assert len(poolings) == 4
    return keras.Model(network.input, [*(each.input for each in poolings), network.output])


def assert_features_equal(features, expected):
    for found, wanted in zip(features, expected, strict=True):
        wanted = np.asarray(wanted)
        assert np.abs(wanted).max() > 0
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3 * np.abs(wanted).max())


@pytest.mark.slow
def test_inception_returns_its_features_before_each_halving(inception, inception_encoder):
    images = np.random.default_rng(1).uniform(0, 1, (1, 128, 96, 3)).astype("float32")
    features = inception_encoder(images)
    # Each of its convolutions and poolings without padding loses a border.
    sizes = [(61, 45), (28, 20), (13, 9), (6, 4), (2, 1)]
    assert [each.shape[1:3] for each in features] == sizes
    assert [each.shape[-1] for each in features] == [64, 192, 320, 1088, 1536]
    prepared = keras.applications.inception_resnet_v2.preprocess_input(255.0 * images)
    assert_features_equal(features, before_each_halving(inception)(prepared))


@pytest.mark.slow
def test_images_too_small_for_inception_are_enlarged(inception, inception_encoder):
    images = np.random.default_rng(1).uniform(0, 1, (2, 40, 48, 3)).astype("float32")
    enlarged = [resize(each, (75, 90), 1, "edge", anti_aliasing=False) for each in images]
    prepared = keras.applications.inception_resnet_v2.preprocess_input(255.0 * np.stack(enlarged))
    expected = before_each_halving(inception)(prepared.astype("float32"))
    assert_features_equal(inception_encoder(images), expected)


@pytest.mark.slow
def test_features_of_exact_size_are_aligned_with_the_image(inception_encoder):
    images = np.random.default_rng(1).uniform(0, 1, (1, 128, 96, 3)).astype("float32")
    exact = pretrained_encoder("inception_resnet_v2", None)
    exact.set_weights(inception_encoder.get_weights())
    found, wanted = np.asarray(exact(images)[0]), np.asarray(inception_encoder(images)[0])
    assert (found.shape[1:3], wanted.shape[1:3]) == ((64, 48), (61, 45))
    # Away from the borders they equal those of Keras, where the second of three convolutions
    # begins one position later, without padding.
    np.testing.assert_allclose(found[:, 3:-4, 3:-4], wanted[:, 2:-2, 2:-2], rtol=1e-3, atol=1e-4)


def test_exact_does_not_change_other_networks():
    exact, inexact = (
        pretrained_encoder("mobilenet_v2", None, halvings=3, exact=value) for value in (True, False)
    )
    assert not any(isinstance(layer, EnlargeToAtLeast) for layer in exact.layers)
    inexact.set_weights(exact.get_weights())
    assert_features_equal(exact(IMAGES), inexact(IMAGES))


# --- weights files -------------------------------------------------------------------------------


class Unnamed:
    """Builds a network of two branches whose layers get new names from Keras each time."""

    def __init__(self):
        self.built = []

    def __call__(self, include_top=True, weights=None, input_shape=(32, 32, 3), filters=2):
        assert weights is None
        layers = keras.layers
        images = keras.Input(input_shape)
        features = layers.Conv2D(filters, 3, 2, "same")(images)
        features = layers.BatchNormalization()(features)
        narrow = layers.Conv2D(3, 1, 2)(features)
        wide = layers.Conv2D(3, 3, 2, "same")(features)
        features = layers.Concatenate()([narrow, wide])
        if include_top:
            features = layers.Dense(10)(layers.GlobalAveragePooling2D()(features))
        self.built.append(keras.Model(images, features))
        return self.built[-1]


@pytest.fixture
def unnamed(monkeypatch):
    """Adds an encoder whose recipe gives its levels as numbers; returns its builder."""
    build = Unnamed()
    recipe = EncoderRecipe("Unnamed", levels=(2, -1), images="signed")
    monkeypatch.setattr(keras.applications, "Unnamed", build, raising=False)
    monkeypatch.setitem(ENCODERS, "unnamed", recipe)
    return build


def randomize(network, seed=3):
    random = np.random.default_rng(seed)
    network.set_weights([random.uniform(0.2, 1, each.shape) for each in network.get_weights()])
    return network


def names(network):
    return [layer.name for layer in network.layers]


def test_levels_may_be_given_by_number(unnamed):
    found = pretrained_encoder("unnamed", None)
    network = randomize(unnamed.built[0])
    found.set_weights(network.get_weights())
    probe = keras.Model(network.input, [network.layers[2].output, network.layers[-1].output])
    features = found(IMAGES)
    assert [each.shape for each in features] == [(1, 32, 32, 2), (1, 16, 16, 6)]
    assert_features_equal(features, probe(2.0 * IMAGES - 1.0))


def test_images_too_small_for_a_network_are_enlarged(unnamed, monkeypatch):
    recipe = dataclasses.replace(ENCODERS["unnamed"], smallest_side=75, halves_exactly=False)
    monkeypatch.setitem(ENCODERS, "unnamed", recipe)
    found = pretrained_encoder("unnamed", None, exact=False)
    [image] = IMAGES[:, :40, :48]
    enlarged = resize(image, (75, 90), 1, "edge", anti_aliasing=False)
    assert_features_equal(found(image[None]), found(enlarged[None]))


def test_network_is_cut_off_at_the_requested_level(unnamed):
    # The first convolution has 3 x 3 x 3 x 2 + 2 weights, its normalization 4 x 2.
    found = pretrained_encoder("unnamed", None, halvings=1)
    assert len(found.outputs) == 1
    assert found.count_params() == 54 + 2 + 8


@pytest.mark.parametrize("save", ["save_weights", "save"], ids=["weights_alone", "keras_2"])
@pytest.mark.parametrize("include_top", [True, False])
def test_weights_are_matched_by_the_order_of_layers_and_not_by_their_names(
    unnamed, tmp_path, include_top, save
):
    saved = randomize(unnamed(include_top=include_top))
    path = str(tmp_path / ("file.weights.h5" if save == "save_weights" else "file.h5"))
    getattr(saved, save)(path)
    found = pretrained_encoder("unnamed", path)
    # Only a file of Keras 2 has to be loaded with the classifier: its layers are counted.
    assert len(unnamed.built) == 2 + (include_top and save == "save")
    for built in unnamed.built[1:]:
        assert not set(names(built)) & set(names(saved))
    features = keras.Model(saved.input, [saved.layers[2].output, saved.layers[5].output])
    small = IMAGES[:, :32, :32]
    assert_features_equal(found(small), features(2.0 * small - 1.0))


def test_weights_of_another_network_are_a_one_line_error(unnamed, tmp_path):
    for include_top in (True, False):
        path = str(tmp_path / f"{include_top}.weights.h5")
        unnamed(include_top=include_top, filters=5).save_weights(path)
        with pytest.raises(InputError, match="these are not weights of Unnamed") as caught:
            pretrained_encoder("unnamed", path)
        assert len(str(caught.value).splitlines()) == 1
        assert path in str(caught.value)


def test_weights_that_cannot_be_downloaded_are_a_one_line_error(unnamed, monkeypatch):
    def no_network(**options):
        assert options["weights"] == "imagenet"
        raise Exception("URL fetch failure\nand more")

    monkeypatch.setattr(keras.applications, "Unnamed", no_network)
    with pytest.raises(InputError, match="Unnamed cannot be downloaded") as caught:
        pretrained_encoder("unnamed", "imagenet")
    assert len(str(caught.value).splitlines()) == 1
