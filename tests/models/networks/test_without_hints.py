"""The part of a network that colors without hints."""

import keras
import numpy as np
import pytest

from models.networks.unet import unet
from models.networks.without_hints import without_hints
from tests.models.networks.hinted import ARCHITECTURES, images


@pytest.fixture(params=ARCHITECTURES, ids=list(ARCHITECTURES))
def options(request, tiny_encoder):
    keras.utils.set_random_seed(0)
    return ARCHITECTURES[request.param]


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
