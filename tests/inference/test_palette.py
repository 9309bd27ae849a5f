"""Palettes of photographs."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from data.color.ab_bins import ab1_to_bin
from inference.palette import Palette
from tests.colors import BLUE, ORANGE, two_colors


def bin_of(ab):
    return int(ab1_to_bin(np.array(ab) / 110.0))


def test_a_photograph_has_the_shares_of_its_colors(tmp_path):
    shares = Palette.of_photograph(two_colors(tmp_path / "a.png")).shares()
    assert shares.sum() == pytest.approx(1.0)
    assert shares[bin_of(BLUE)] == pytest.approx(0.75, abs=0.02)
    assert shares[bin_of(ORANGE)] == pytest.approx(0.25, abs=0.02)


def test_a_palette_survives_json(tmp_path):
    palette = Palette.of_photograph(two_colors(tmp_path / "a.png"))
    again = Palette.from_json(json.loads(json.dumps(palette.colors)))
    np.testing.assert_array_equal(again.shares(), palette.shares())


def test_a_photograph_without_colors_has_no_palette(tmp_path):
    Image.linear_gradient("L").save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="it is not in color"):
        Palette.of_photograph(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no image")
    with pytest.raises(ValueError, match="not an image"):
        Palette.of_photograph(tmp_path / "b.png")
    with pytest.raises(ValueError, match="there is no such file"):
        Palette.of_photograph(tmp_path / "c.png")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "a palette is a list of [a, b, share]"),
        ([], "1 to 529 colors. Received: 0"),
        ([[0, 0, 1]] * 1000, "1 to 529 colors. Received: 1000"),
        ([[0, 0]], "Received: (0, 0)"),
        ([[0, 0, 0]], "a share above 0"),
        ([[0, 200, 1]], "from -128 to 128"),
        ([[0, float("nan"), 1]], "from -128 to 128"),
        ([["red", 0, 1]], "Received: ('red', 0, 1)"),
        (["red"], "Received: 'red'"),
    ],
)
def test_other_lists_are_refused(content, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Palette.from_json(content)
