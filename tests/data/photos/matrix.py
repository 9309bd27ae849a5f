"""Helpers of the tests that compare what both readers return with pixels that are known."""

import numpy as np

from data.photos.file import PhotoFile
from data.photos.read_rgb import read_rgb

HEIGHT, WIDTH = 9, 14
GRAY_WHITE_IS_ZERO, GRAY, RGB = 0, 1, 2
UNSPECIFIED, PREMULTIPLIED, ALPHA = 0, 1, 2


def numbers(channels, seed=0):
    """Random numbers from 0 to 1, with black and white among them."""
    random = np.random.default_rng(seed).uniform(size=(HEIGHT, WIDTH, channels))
    random[0, 0], random[0, 1] = 0.0, 1.0
    return random


def upright(pixels, orientation):
    """Turns stored pixels as TIFF 6.0 defines the eight orientations."""
    if orientation >= 5:
        pixels = np.swapaxes(pixels, 0, 1)
    down, across = {
        **{1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1)},
        **{5: (1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)},
    }[orientation]
    return pixels[::down, ::across]


def mismatch(path, colors, extra=None, kinds=(), tolerance=0.0):
    """What is wrong with how a file is read, or None.

    Args:
        path: the file.
        colors: the expected colors from 0 to 1, (height, width, 1 or 3).
        extra: the expected extra samples, or None.
        kinds: the kinds of the extra samples.
        tolerance: the largest difference beside rounding.
    """
    [page] = PhotoFile(path).pages
    parts = list(page.strips())
    read = np.concatenate([part for part, _ in parts])
    read = read / np.iinfo(read.dtype).max
    if read.shape[:2] != colors.shape[:2]:
        return f"{read.shape} instead of {colors.shape}"
    if np.abs(read - colors).max() > tolerance + 0.51 / 255:
        return f"colors differ by {np.abs(read - colors).max():.3f}"
    if page.extra_samples != tuple(kinds):
        return f"extra samples of the kinds {page.extra_samples}"
    if kinds:
        others = np.concatenate([part for _, part in parts])
        if np.abs(others / np.iinfo(others.dtype).max - extra).max() > 0.51 / 255:
            return "extra samples differ"
    expected = np.broadcast_to(colors, (*colors.shape[:2], 3))
    transparent = [number for number, kind in enumerate(kinds) if kind != UNSPECIFIED]
    if transparent:
        alpha = extra[..., transparent[0], None]
        expected = expected * alpha + 1.0 - alpha
    learned = read_rgb(path)
    if learned.shape != expected.shape:
        return f"{learned.shape} is learned instead of {expected.shape}"
    if np.abs(learned / 255 - expected).max() > tolerance + 1.51 / 255:
        return f"what is learned differs by {np.abs(learned / 255 - expected).max():.3f}"
    return None
