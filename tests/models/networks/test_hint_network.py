"""Networks that follow hints."""

import keras
import numpy as np
import pytest

from data.color.ab_bins import BINS, ab1_to_bin
from models.networks.unet import unet
from models.networks.without_hints import without_hints

RED = int(ab1_to_bin(np.array([50.0, 0.0]) / 110.0))

ARCHITECTURES = {
    "no encoder": {"depth": 3, "attention_level": 2},
    "shallow": {"depth": 1, "attention_level": None},
    "coarse": {"depth": 4, "attention_level": 3, "color_stride": 4},
    "encoder": {"encoder": "vgg16", "color_stride": 4, "attention_pool": 2},
}


@pytest.fixture(params=ARCHITECTURES, ids=list(ARCHITECTURES))
def options(request, tiny_encoder):
    keras.utils.set_random_seed(0)
    return ARCHITECTURES[request.param]


def images(size=(30, 26)):
    """Three images: with nothing, with a hint, and with a palette of one color."""
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (3, *size, 1)).astype("float32")
    hints = np.zeros((3, *size, 3), "float32")
    hints[1, 5:12, 8:15] = (0.5, -0.5, 1.0)
    palette = np.zeros((3, BINS), "float32")
    palette[2, RED] = 1.0
    return lightness, hints, palette


def test_without_hints_colors_are_those_of_the_network_without_to_the_last_bit(options):
    lightness, *given = images()
    hinted = unet(2, hints=True, **options)
    plain = unet(2, **options)
    plain.set_weights(without_hints(hinted).get_weights())
    expected = plain(lightness)
    np.testing.assert_array_equal(without_hints(hinted)(lightness), expected)
    colored = hinted([lightness, *given])
    assert colored.shape == expected.shape
    np.testing.assert_array_equal(colored[0], expected[0])
    for hinted_one in (1, 2):
        assert np.abs(colored[hinted_one] - expected[hinted_one]).max() > 0.005


def test_at_first_a_hint_pulls_colors_towards_it():
    keras.utils.set_random_seed(0)
    colored = unet(2, depth=3, hints=True)([*images()])[1, 5:12, 8:15]
    a, b = np.mean(colored, axis=(0, 1))
    assert 0.1 < a < 0.5
    assert -0.5 < b < -0.1


def test_at_first_a_palette_pulls_all_colors_a_little_towards_it():
    keras.utils.set_random_seed(0)
    lightness, hints, palette = images()
    network = unet(2, depth=3, hints=True)
    with_palette, without = (
        network([lightness, hints, each])[2] for each in (palette, np.zeros_like(palette))
    )
    a, b = np.moveaxis(with_palette - without, -1, 0)
    assert (a > 0.001).all()
    assert np.abs(b).max() < 0.001
