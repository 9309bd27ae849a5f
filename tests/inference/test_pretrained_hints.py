"""The default weights follow hints and palettes."""

import numpy as np
import pytest
from skimage import data
from skimage.color import rgb2gray, rgb2lab

from config.groups.presets import PRETRAINED_WEIGHTS
from inference.hints import Hint
from inference.look import Look
from inference.palette import Palette
from inference.photo_colorizer import PhotoColorizer


@pytest.fixture(scope="module")
def colorizer():
    return PhotoColorizer.from_folder(PRETRAINED_WEIGHTS / "sagan", precision="float32")


def ab_of(rgb255):
    return rgb2lab(rgb255)[..., 1:]


@pytest.mark.parametrize("color", ["#a03020", "#2040a0", "green"])
def test_a_hint_leaves_alone_what_is_beyond_an_edge(colorizer, color):
    # Two fields, 30 L apart.
    gray = np.full((200, 300), 100, "uint8")
    gray[:, 150:] = 180
    change = ab_of(colorizer.color_array(gray, [Hint(0.25, 0.5, color)])) - ab_of(
        colorizer.color_array(gray)
    )
    assert np.linalg.norm(change[:, 160:], axis=-1).mean() < 3.0
    assert np.linalg.norm(change[:, :140], axis=-1).mean() > 10.0


def test_one_hint_colors_its_thing_and_is_kept(colorizer):
    suit = rgb2gray(data.astronaut())
    hint = Hint(0.2, 0.62, "#d06020", radius=0.02)
    before, after = (ab_of(colorizer.color_array(suit, hints)) for hints in ([], [hint]))
    np.testing.assert_allclose(after[307:327, 92:112].mean(axis=(0, 1)), hint.ab(), atol=4.0)
    # Elsewhere on the suit.
    place = np.s_[400:420, 90:110]
    distances = [np.linalg.norm(ab[place].mean(axis=(0, 1)) - hint.ab()) for ab in (before, after)]
    assert distances[1] < 0.7 * distances[0]


def test_a_palette_brings_the_colors_nearer_to_its_own(colorizer):
    photograph = data.coffee()
    palette = Palette(((0.0, 0.0, 0.2), (20.0, 40.0, 0.4), (30.0, 30.0, 0.4)))
    gray = rgb2gray(photograph)
    before, after = (
        ab_of(colorizer.color_array(gray, look=look)).mean(axis=(0, 1))
        for look in (Look(), Look(palette=palette))
    )
    assert after[1] > before[1] + 3.0
