"""Dropout goes on where it was when its weights were saved."""

import keras
import numpy as np
import pytest

from models.layers.resumable_dropout import ResumableDropout

FEATURES = np.ones((2, 50), "float32")


def network(rate):
    return keras.Sequential([keras.Input((50,)), ResumableDropout(rate)])


def test_the_random_state_is_saved_with_the_weights(tmp_path):
    first = network(0.5)
    first(FEATURES, training=True)
    first.save_weights(tmp_path / "first.weights.h5")
    expected = first(FEATURES, training=True)
    second = network(0.5)
    assert not np.array_equal(second(FEATURES, training=True), expected)
    second.load_weights(tmp_path / "first.weights.h5")
    np.testing.assert_array_equal(second(FEATURES, training=True), expected)


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_nothing_is_dropped_in_inference_or_at_a_rate_of_zero(rate):
    layer = network(rate)
    np.testing.assert_array_equal(layer(FEATURES), FEATURES)
    is_whole = np.array_equal(layer(FEATURES, training=True), FEATURES)
    assert is_whole == (rate == 0.0)


@pytest.mark.parametrize("rate", [0.0, 0.5])
def test_weights_are_loaded_at_any_rate(rate, tmp_path):
    layer = network(rate)
    layer.save_weights(tmp_path / "a.weights.h5")
    network(rate).load_weights(tmp_path / "a.weights.h5")
