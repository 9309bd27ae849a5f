"""A preview looks as the result will, only smaller."""

import numpy as np
import pytest

from data.photos.page import page_of_pixels
from inference.hints import Hint
from inference.look import Look
from inference.photo_colorizer import PhotoColorizer
from inference.preview import Preview


@pytest.fixture(scope="module")
def colorizer():
    import keras

    lightness = keras.Input((16, 16, 1))
    ab = keras.ops.concatenate([0.1 * lightness, 0.2 * lightness], axis=-1)
    return PhotoColorizer(keras.Model(lightness, ab), 16)


@pytest.fixture
def page():
    rows = np.linspace(60, 200, 48)[:, None, None]
    return page_of_pixels(np.broadcast_to(rows, (48, 64, 1)).astype("uint8"))


def test_preview_of_a_small_photograph_is_its_result(colorizer, page):
    hints = [Hint(0.5, 0.25, "navy")]
    preview = Preview(colorizer, [page])
    pixels = np.concatenate([strip for strip, _ in page.strips()])
    np.testing.assert_array_equal(preview.gray, pixels)
    np.testing.assert_array_equal(
        preview.colored(hints), colorizer.color_array(pixels[..., 0], hints)
    )


def test_preview_is_as_small_as_asked_and_has_the_hints_of_its_page(colorizer, page):
    hints = [Hint(0.5, 0.25, "navy", page=1)]
    first, second = (Preview(colorizer, [page, page], number, 32) for number in (0, 1))
    assert first.colored(hints).shape == (24, 32, 3)
    np.testing.assert_array_equal(first.colored(hints), first.colored())
    assert second.colored(hints)[6, 16, 2] > first.colored()[6, 16, 2] + 20


@pytest.mark.parametrize("part", [(0, 0, 64, 48), (10, 5, 20, 13), (60, 40, 100, 100)])
def test_part_at_full_size_is_that_part_of_the_result(colorizer, page, part):
    left, top, width, height = part
    hints = [Hint(0.5, 0.25, "navy")]
    shown = Preview(colorizer, [page], longest=32).part(*part)
    pixels = np.concatenate([strip for strip, _ in page.strips()])
    rows, columns = slice(top, top + height), slice(left, left + width)
    np.testing.assert_array_equal(shown.gray, pixels[rows, columns])
    whole = colorizer.color_array(pixels[..., 0], hints)
    # The sums of the interpolation are grouped in another way.
    np.testing.assert_allclose(shown.colored(hints), whole[rows, columns].astype(int), atol=1)


@pytest.mark.parametrize("part", [(64, 0, 8, 8), (0, 48, 8, 8), (-1, 0, 8, 8), (0, 0, 0, 8)])
def test_part_outside_the_page_is_refused(colorizer, page, part):
    with pytest.raises(ValueError, match="inside the page of 64 x 48"):
        Preview(colorizer, [page]).part(*part)


def test_colors_lose_their_chroma_with_saturation(colorizer, page):
    gray = Preview(colorizer, [page]).colored(look=Look(saturation=0.0))
    assert np.ptp(gray.astype(int), axis=-1).max() <= 1


def test_calm_colors_are_those_of_the_result(colorizer, page):
    preview = Preview(colorizer, [page])
    assert not np.array_equal(preview.colored(look=Look(calm=1.0)), preview.colored())
    np.testing.assert_array_equal(preview.colored(look=Look(calm=0.0)), preview.colored())


def test_lab_at_a_place_is_its_lightness_and_predicted_color(colorizer, page):
    preview = Preview(colorizer, [page])
    dark, light = preview.lab_at(0.5, 0.0), preview.lab_at(1.0, 1.0)
    assert dark[0] + 30 < light[0]
    np.testing.assert_allclose(light[1:], 110 * np.array([0.1, 0.2]) * (light[0] / 50 - 1), atol=1)


def test_colors_of_the_page_are_not_shown(colorizer):
    colored = page_of_pixels(np.full((20, 20, 3), (200, 60, 60), "uint8"))
    assert Preview(colorizer, [colored]).gray.shape == (20, 20, 1)
