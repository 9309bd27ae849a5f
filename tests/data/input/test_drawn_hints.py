"""The hints of training images."""

import numpy as np
import pytest

from data.color.ab_bins import ab1_to_palette
from data.input.drawn_hints import CHANCES, draw_hints, draw_palettes

RANDOM = np.random.default_rng(0)
AB = RANDOM.uniform(-1, 1, (400, 24, 24, 2)).astype("float32")


def chances(images=400, seed=1):
    return np.random.default_rng(seed).uniform(size=(images, CHANCES)).astype("float32")


def of_one_hint(row, column, size):
    """The chances of an image with one hint, at these shares of the image."""
    values = np.zeros((1, CHANCES), "float32")
    # Many hints, of which the inverse of the distribution gives one; then not revealed.
    values[0, :5] = (0.0, 1.0 - (31 / 32) ** 1.5, 0.0, 1.0, 0.0)
    of_hints = values[0, 5:].reshape(4, -1)
    of_hints[:3, 0] = (row, column, (size - 0.5) / 9)
    return values


@pytest.mark.parametrize(
    ("row", "column", "size", "rows", "columns"),
    [
        (0.0, 0.0, 1, slice(0, 1), slice(0, 1)),
        (0.5, 0.25, 4, slice(10, 14), slice(5, 9)),
        (0.999, 0.999, 9, slice(15, 24), slice(15, 24)),
    ],
)
def test_a_hint_is_the_mean_color_of_its_patch(row, column, size, rows, columns):
    hints = draw_hints(AB[:1], of_one_hint(row, column, size), share=1.0)[0].numpy()
    expected = np.zeros((24, 24, 3))
    expected[rows, columns, :2] = AB[0, rows, columns].mean(axis=(0, 1))
    expected[rows, columns, 2] = 1.0
    np.testing.assert_allclose(hints, expected, atol=1e-6)


def test_the_share_of_images_with_hints_is_that_of_the_distribution():
    ab = np.zeros((4000, 10, 10, 2), "float32")
    hinted = (draw_hints(ab, chances(4000), share=0.5)[..., 2].numpy() > 0).any(axis=(1, 2))
    # One in 8 of one half and one in 32 of the other are drawn without hints.
    assert hinted.mean() == pytest.approx(0.5 * (1 - (1 / 8 + 1 / 32) / 2), abs=0.02)
    assert not draw_hints(AB, chances(), share=0.0)[..., 2].numpy().any()


def test_one_image_in_a_hundred_is_revealed():
    hints = draw_hints(AB, chances(), share=1.0).numpy()
    revealed = [image for image in range(400) if np.array_equal(hints[image, ..., :2], AB[image])]
    assert 1 <= len(revealed) <= 12
    assert (hints[revealed, ..., 2] == 1.0).all()


def test_a_quarter_of_the_images_with_hints_get_their_palette():
    palettes = draw_palettes(AB, chances(), share=0.5).numpy()
    given = palettes.any(axis=1)
    assert given.mean() == pytest.approx(0.125, abs=0.05)
    np.testing.assert_array_equal(palettes[given], ab1_to_palette(AB)[given])
    assert not draw_palettes(AB, chances(), share=0.0).numpy().any()
