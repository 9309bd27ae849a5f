"""Networks that follow hints."""

import keras
import numpy as np
import pytest

from models.networks.unet import unet
from models.networks.without_hints import without_hints

ARCHITECTURES = {
    "no encoder": {"depth": 3, "attention_level": 2},
    "shallow": {"depth": 1, "attention_level": None},
    "coarse": {"depth": 4, "attention_level": 3, "color_stride": 4},
    "encoder": {"encoder": "mobilenet_v2", "color_stride": 4, "attention_pool": 2},
}


@pytest.fixture(params=ARCHITECTURES, ids=list(ARCHITECTURES))
def options(request):
    keras.utils.set_random_seed(0)
    return ARCHITECTURES[request.param]


def images(size=(30, 26)):
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (2, *size, 1)).astype("float32")
    hints = np.zeros((2, *size, 3), "float32")
    hints[1, 5:12, 8:15] = (0.5, -0.5, 1.0)
    return lightness, hints


def test_without_hints_colors_are_those_of_the_network_without_to_the_last_bit(options):
    lightness, hints = images()
    hinted = unet(2, hints=True, **options)
    plain = unet(2, **options)
    plain.set_weights(without_hints(hinted).get_weights())
    expected = plain(lightness)
    np.testing.assert_array_equal(without_hints(hinted)(lightness), expected)
    colored = hinted([lightness, hints])
    assert colored.shape == expected.shape
    np.testing.assert_array_equal(colored[0], expected[0])
    assert np.abs(colored[1] - expected[1]).max() > 0.01


def test_at_first_a_hint_pulls_colors_towards_it():
    keras.utils.set_random_seed(0)
    lightness, hints = images()
    colored = unet(2, depth=3, hints=True)([lightness, hints])[1, 5:12, 8:15]
    a, b = np.mean(colored, axis=(0, 1))
    assert 0.1 < a < 0.5
    assert -0.5 < b < -0.1
