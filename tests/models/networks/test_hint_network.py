"""Networks that follow hints."""

import keras
import numpy as np

from models.networks.unet import unet
from tests.models.networks.hinted import images


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
