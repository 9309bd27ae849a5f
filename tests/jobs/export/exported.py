"""Helpers of the tests of exported networks."""

import functools

import numpy as np
import pytest
from PIL import Image
from skimage import color

import run
from config.groups.presets import PRETRAINED_WEIGHTS
from errors import InputError
from inference.photo_colorizer import PhotoColorizer
from jobs.export.formats import FORMATS

SIDE = 64


def export(output_dir, *arguments):
    return run.main(["--export", *arguments, "--output_dir", str(output_dir)])


def ab_of(path_or_pixels):
    if not isinstance(path_or_pixels, np.ndarray):
        with Image.open(path_or_pixels) as image:
            path_or_pixels = np.asarray(image.convert("RGB"))
    return color.rgb2lab(path_or_pixels)[..., 1:]


def require(name, quantize=False):
    try:
        FORMATS[name].check_packages(quantize)
    except InputError as error:
        pytest.skip(str(error))


@functools.cache
def true_ab(gray):
    """The ab of the photograph as the program colors it."""
    colorizer = PhotoColorizer.from_folder(PRETRAINED_WEIGHTS / "sagan", SIDE, "float32")
    with Image.open(gray) as image:
        return ab_of(colorizer.color_array(np.asarray(image)))
