"""Architectures of networks that follow hints, and what they are given."""

import numpy as np

from data.color.ab_bins import BINS, ab1_to_bin

RED = int(ab1_to_bin(np.array([50.0, 0.0]) / 110.0))

ARCHITECTURES = {
    "no encoder": {"depth": 3, "attention_level": 2},
    "shallow": {"depth": 1, "attention_level": None},
    "coarse": {"depth": 4, "attention_level": 3, "color_stride": 4},
    "encoder": {"encoder": "vgg16", "color_stride": 4, "attention_pool": 2},
}


def images(size=(30, 26)):
    """Three images: with nothing, with a hint, and with a palette of one color."""
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (3, *size, 1)).astype("float32")
    hints = np.zeros((3, *size, 3), "float32")
    hints[1, 5:12, 8:15] = (0.5, -0.5, 1.0)
    palette = np.zeros((3, BINS), "float32")
    palette[2, RED] = 1.0
    return lightness, hints, palette
