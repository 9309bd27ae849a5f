"""Colors and a reference that tests of several folders share."""

import numpy as np
from PIL import Image
from skimage.color import lab2rgb
from skimage.metrics import structural_similarity

from data.color.lab import lab100_to_unclipped_rgb1


def rgb_cube(step=5):
    """All colors whose channels are multiples of a step, float64 in [0, 1], shape (n, 3)."""
    levels = np.arange(0, 256, step) / 255.0
    return np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)


def lab_outside_the_gamut(count=5000, limit=128.0, seed=0):
    """Random Lab colors outside the sRGB gamut, float32 of shape (n, 3)."""
    low, high = [0.0, -limit, -limit], [100.0, limit, limit]
    lab100 = np.random.default_rng(seed).uniform(low, high, (count, 3)).astype("float32")
    return lab100[amount_outside(lab100_to_unclipped_rgb1(lab100)) > 0.01]


def amount_outside(rgb1):
    """The distance of each color from the sRGB cube."""
    rgb1 = np.asarray(rgb1)
    return np.linalg.norm(rgb1 - np.clip(rgb1, 0.0, 1.0), axis=-1)


def skimage_ssim(true, colored):
    """The structural similarity of two images in [0, 1] by scikit-image."""
    return structural_similarity(
        true,
        colored,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1,
    )


# The ab of the colors of `two_colors`.
BLUE, ORANGE = (0.0, -40.0), (30.0, 50.0)


def two_colors(path):
    """Three quarters blue, one quarter orange, of the same lightness."""
    pixels = np.empty((64, 64, 3), "uint8")
    pixels[:48], pixels[48:] = (np.round(lab2rgb((60.0, *ab)) * 255.0) for ab in (BLUE, ORANGE))
    Image.fromarray(pixels).save(path)
    return path
