"""Color photographs, even yellowed ones, are distinguished from toned photographs."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage import color, data

from inference.color_cast import has_colors

# sRGB of the thickest ink and of the paper.
GRAY = (10, 10, 10), (255, 255, 255)
SEPIA = (50, 20, 10), (240, 215, 170)
CYANOTYPE = (3, 35, 93), (240, 240, 225)
FADED = (90, 75, 60), (215, 200, 165)
TONES = pytest.mark.parametrize(
    "tone", [GRAY, SEPIA, CYANOTYPE, FADED], ids=["gray", "sepia", "cyanotype", "faded"]
)

PHOTOGRAPHS = pytest.mark.parametrize(
    "name", ["astronaut", "chelsea", "coffee", "rocket", "stereo_motorcycle"]
)


def photograph(name):
    pixels = getattr(data, name)()
    return pixels[0] if name.startswith("stereo") else pixels


def toned(pixels, tone):
    """Tones a photograph: each layer of ink transmits a fixed fraction of each color channel."""
    ink, paper = np.float64(tone)
    thickness = 1.0 - color.rgb2lab(pixels)[..., :1] / 100.0
    return np.round(paper * (ink / paper) ** thickness).astype("uint8")


def through_jpeg(pixels, quality=60):
    """Adds the chroma noise of JPEG, in blocks of 16 pixels."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


@PHOTOGRAPHS
def test_color_photographs_have_colors(name):
    assert has_colors(color.rgb2lab(through_jpeg(photograph(name))))


@PHOTOGRAPHS
@TONES
def test_toned_photographs_have_no_colors(name, tone):
    lab100 = color.rgb2lab(through_jpeg(toned(photograph(name), tone)))
    # The tints are as strong as colors.
    assert tone is GRAY or np.abs(lab100[..., 1:].mean(axis=(0, 1))).max() > 7
    assert not has_colors(lab100)


def test_a_toned_photograph_with_a_part_in_color_has_colors():
    pixels = toned(photograph("coffee"), SEPIA)
    pixels[100:250, 100:300] = photograph("coffee")[100:250, 100:300]
    assert has_colors(color.rgb2lab(pixels))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (30, 40)])
@pytest.mark.parametrize("rgb", [(0, 0, 0), (255, 255, 255), (200, 40, 60)])
def test_a_single_color_is_a_tint(size, rgb):
    assert not has_colors(color.rgb2lab(np.full((*size, 3), rgb, "uint8")))


@PHOTOGRAPHS
def test_a_yellowed_color_photograph_has_colors(name):
    pixels = photograph(name) * np.array([1.0, 0.9, 0.7])
    assert has_colors(color.rgb2lab(pixels.astype("uint8")).astype("float32"))
