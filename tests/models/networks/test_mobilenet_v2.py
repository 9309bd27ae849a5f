"""MobileNetV2 equals the network of Keras."""

import keras
import numpy as np
import pytest

from models.networks.encoder_recipes import ENCODERS
from models.networks.mobilenet_v2 import mobilenet_v2

IMAGES = np.random.default_rng(0).uniform(-1, 1, (2, 64, 96, 3)).astype("float32")


@pytest.fixture(scope="module")
def networks():
    """Ours and that of Keras with the same weights, none with its initial value."""
    ours = mobilenet_v2(momentum=0.999, freeze_statistics=False)
    whole = keras.applications.MobileNetV2(
        include_top=False, weights=None, input_shape=(None, None, 3)
    )
    levels = ENCODERS["mobilenet_v2"].levels
    theirs = keras.Model(whole.input, [whole.get_layer(level).output for level in levels])
    random = np.random.default_rng(1)
    weights = [
        weight + random.uniform(-0.05, 0.05, weight.shape).astype("float32")
        for weight in theirs.get_weights()
    ]
    for network in (ours, theirs):
        network.set_weights(weights)
    return ours, theirs


@pytest.mark.parametrize("training", [False, True])
def test_features_equal_those_of_keras(networks, training):
    ours, theirs = (network(IMAGES, training=training) for network in networks)
    assert [level.shape for level in ours] == [level.shape for level in theirs]
    for level, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(level, expected, rtol=1e-3, atol=1e-3)
        assert np.ptp(expected) > 0.1


def test_weights_are_in_the_order_of_keras(networks):
    ours, theirs = (
        [(weight.name, tuple(weight.shape)) for weight in network.weights] for network in networks
    )
    assert ours == theirs
