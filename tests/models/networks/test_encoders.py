"""Pretrained encoders halve the size five times and see pictures as they were trained to."""

import importlib

import keras
import numpy as np
import pytest

from errors import InputError
from models.networks.encoders import ENCODERS, pretrained_encoder

PICTURES = np.random.default_rng(0).uniform(0, 1, (1, 64, 64, 3)).astype("float32")


def encoder(name):
    if name == "resnet18":
        pytest.importorskip("keras_hub", reason="KerasHub is not installed")
    return pretrained_encoder(name, None)


@pytest.mark.parametrize("name", ENCODERS)
def test_each_level_is_half_of_the_one_before(name):
    features = encoder(name)(PICTURES)
    assert [each.shape[1:3] for each in features] == [(side, side) for side in (32, 16, 8, 4, 2)]


@pytest.mark.parametrize("name", ["vgg16", "resnet50"])
def test_pictures_are_prepared_as_keras_prepares_them(name):
    expected = getattr(keras.applications, name).preprocess_input(255.0 * PICTURES)
    np.testing.assert_allclose(ENCODERS[name].preprocess(PICTURES), expected, atol=1e-3)


def test_encoder_gives_what_the_whole_network_gives():
    keras.utils.set_random_seed(1)
    found = pretrained_encoder("resnet50", None)
    keras.utils.set_random_seed(1)
    whole = keras.applications.ResNet50(
        weights=None, include_top=False, input_shape=(None, None, 3)
    )
    expected = whole(keras.applications.resnet50.preprocess_input(255.0 * PICTURES))
    np.testing.assert_allclose(found(PICTURES)[-1], expected, rtol=1e-3, atol=1e-3)


def test_encoder_of_a_package_that_is_not_installed_is_one_line(monkeypatch):
    def import_module(name):
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", import_module)
    for weights in (None, "imagenet", "some.weights.h5"):
        with pytest.raises(InputError) as caught:
            pretrained_encoder("resnet18", weights)
        message = str(caught.value)
        assert message.startswith("--encoder resnet18 is a network of KerasHub: pip install")
        assert len(message.splitlines()) == 1


@pytest.mark.parametrize("keeps_moments", [True, False])
def test_moments_of_the_weights_are_kept_in_training_where_it_is_asked_for(keeps_moments):
    encoder = pretrained_encoder("mobilenet_v2", None, halvings=2, keeps_moments=keeps_moments)
    before = [each.numpy() for each in encoder.non_trainable_variables]
    as_it_colors = encoder(PICTURES, training=False)[-1]
    as_it_learns = encoder(PICTURES, training=True)[-1]
    assert np.allclose(as_it_colors, as_it_learns, atol=1e-5) is keeps_moments
    after = [each.numpy() for each in encoder.non_trainable_variables]
    same = [np.array_equal(old, new) for old, new in zip(before, after, strict=True)]
    assert len(same) > 4
    assert all(same) is keeps_moments
    # Scales and offsets are learned all the same.
    assert {each.name for each in encoder.trainable_variables} >= {"gamma", "beta"}
