"""The path of a photograph keeps its size and its lightness."""

import keras
import numpy as np
import pytest
from skimage import color, data

from models.photo_colorizer import PhotoColorizer


class ConstantColors(keras.Model):
    """Colors everything alike, a little red."""

    def call(self, lightness, training=False):
        return keras.ops.concatenate([lightness * 0 + 0.1, lightness * 0 + 0.05], axis=-1)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (97, 64), (512, 340)])
def test_size_is_kept(size):
    colorizer = PhotoColorizer(ConstantColors(), render_size=32)
    assert colorizer(np.full((*size, 3), 120, "uint8")).shape == (*size, 3)


def test_lightness_is_the_photographs_own():
    photograph = data.coffee()
    colored = PhotoColorizer(ConstantColors(), render_size=64)(photograph)
    before, after = color.rgb2lab(photograph), color.rgb2lab(colored)
    inside = (before[..., 0] > 20) & (before[..., 0] < 90)
    difference = np.abs(before[..., 0] - after[..., 0])[inside]
    assert difference.mean() < 0.5
    np.testing.assert_allclose(np.median(after[..., 1:], axis=(0, 1)), [11, 5.5], atol=0.5)


def test_only_lightness_is_looked_at():
    photograph = data.astronaut()[:64, :64]
    gray = np.round(color.lab2rgb(color.rgb2lab(photograph) * [1, 0, 0]) * 255).astype("uint8")
    colorizer = PhotoColorizer(ConstantColors(), render_size=32)
    difference = colorizer(photograph).astype(int) - colorizer(gray)
    assert np.abs(difference).max() <= 2


@pytest.mark.parametrize(
    ("size", "seen"),
    [((100, 200), (32, 64)), ((200, 100), (64, 32)), ((16, 16), (32, 32)), ((10, 20000), (1, 128))],
)
def test_the_network_sees_the_shorter_side_at_render_size(size, seen):
    assert PhotoColorizer(ConstantColors(), render_size=32).size_for_network(*size) == seen


def test_photographs_of_all_sizes_are_traced_once():
    colorizer = PhotoColorizer(ConstantColors(), render_size=32)
    for size in ((10, 20), (30, 40), (50, 10)):
        colorizer(np.zeros((*size, 3), "uint8"))
    assert colorizer._graph.experimental_get_tracing_count() == 1
