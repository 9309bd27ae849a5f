"""Hints and their places."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage.color import rgb2lab

from inference.hints import MOST_HINTS, Hint, HintSquare, draw_squares, place_hints
from inference.photo_colorizer import PhotoColorizer


@pytest.mark.parametrize(("color", "rgb"), [("#a03020", (160, 48, 32)), ("Navy", (0, 0, 128))])
def test_the_color_is_that_of_css(color, rgb):
    expected = rgb2lab(np.array([[rgb]], "uint8"))[0, 0, 1:]
    np.testing.assert_allclose(Hint(0.5, 0.5, color).ab(), expected, atol=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"x": 1.01}, "`x` should be in [0, 1]. Received: x=1.01"),
        ({"y": "0.5"}, "Received: y='0.5'"),
        ({"y": float("nan")}, "Received: y=nan"),
        ({"radius": -1.0}, "Received: radius=-1.0"),
        ({"color": "#a030"}, "Received: color='#a030'"),
        ({"color": "rgb(1, 2, 3)"}, "should be #rrggbb or a name of CSS"),
        ({"color": 7}, "Received: color=7"),
        ({"page": -1}, "Received: page=-1"),
        ({"page": True}, "Received: page=True"),
    ],
)
def test_unusable_hints_are_refused(options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Hint(**{"x": 0.5, "y": 0.5, "color": "red", **options})


def test_a_square_has_its_size_in_the_photograph_and_is_two_cells_wide_at_least():
    hints = [Hint(0.5, 0.5, "red", radius=0.125), Hint(0.0, 1.0, "red")]
    # The photograph is twice as wide as high, and is shrunk to a square.
    large, small = place_hints(hints, height=100, width=200, side=64, cell=4)
    assert (large.rows, large.columns) == (slice(24, 40), slice(28, 36))
    assert (small.rows, small.columns) == (slice(56, 64), slice(0, 8))
    assert (small.scaled(4).rows, small.scaled(4).columns) == (slice(14, 16), slice(0, 2))


def test_where_squares_overlap_is_their_mean():
    squares = [
        HintSquare(slice(0, 2), slice(0, 2), np.array([11.0, 0.0])),
        HintSquare(slice(1, 3), slice(0, 2), np.array([33.0, 0.0])),
    ]
    drawn = draw_squares(squares, 4)
    np.testing.assert_allclose(drawn[:, 0, 0], [0.1, 0.2, 0.3, 0.0], rtol=1e-6)
    np.testing.assert_array_equal(drawn[:, 0, 2], [1.0, 1.0, 1.0, 0.0])


def test_too_many_hints_are_refused():
    with pytest.raises(ValueError, match=f"at most {MOST_HINTS} hints"):
        place_hints([Hint(0.5, 0.5, "red")] * (MOST_HINTS + 1), 10, 10, 16, 1)


class AlwaysGray(keras.Model):
    """A network that takes hints and ignores them, and another that has never heard of them."""

    def call(self, inputs, training=False):
        lightness = inputs[0] if isinstance(inputs, list) else inputs
        return keras.ops.zeros_like(keras.ops.concatenate([lightness, lightness], axis=-1))


@pytest.fixture(scope="module")
def colorizers():
    generator = AlwaysGray()
    hinted = PhotoColorizer(generator, 32, hinted_generator=lambda: generator)
    return {"hinted": hinted, "plain": PhotoColorizer(generator, 32)}


@pytest.mark.parametrize("name", ["hinted", "plain"])
@pytest.mark.parametrize("size", [(20, 24), (48, 64), (150, 90), (700, 900)])
def test_the_mean_color_of_a_square_is_what_was_asked_for(colorizers, name, size):
    height, width = size
    gray = np.random.default_rng(0).integers(100, 150, size, "uint8")
    hint = Hint(0.3, 0.6, "#8a6050", radius=0.12)
    colored = colorizers[name].color_array(gray, hints=[hint])
    assert colored.shape == (height, width, 3)
    radius = round(0.08 * min(size))
    row, column = round(0.6 * height), round(0.3 * width)
    square = colored[row - radius : row + radius, column - radius : column + radius]
    np.testing.assert_allclose(rgb2lab(square)[..., 1:].mean(axis=(0, 1)), hint.ab(), atol=4.0)


def test_a_hint_on_a_page_that_is_not_there_is_refused(colorizers):
    with pytest.raises(ValueError, match=r"one of the 1 pages.* Received: page=1"):
        colorizers["plain"].color_array(np.zeros((8, 8), "uint8"), [Hint(0.5, 0.5, "red", page=1)])


def test_mirrored_hints_are_averaged():
    seen = []

    class Remembering(keras.Model):
        def call(self, inputs, training=False):
            lightness, hints, _ = inputs
            tf.py_function(lambda batch: seen.append(batch.numpy()), [hints], [])
            return keras.ops.zeros_like(keras.ops.concatenate([lightness] * 2, axis=-1))

    generator = Remembering()
    colorizer = PhotoColorizer(generator, 32, flip_average=True, hinted_generator=lambda: generator)
    colorizer.color_array(np.full((32, 32), 99, "uint8"), [Hint(0.1, 0.5, "red", radius=0.05)])
    [[straight, mirrored]] = seen
    assert straight.any()
    np.testing.assert_array_equal(mirrored, straight[:, ::-1])
