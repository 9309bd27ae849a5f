"""Colors chosen from a palette."""

import numpy as np

from data.color.ab_bins import BIN_CENTERS, BINS
from models.layers.palette_colors import PaletteColors

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(1, 2, 3, BINS)).astype("float32")


def test_of_two_colors_each_position_takes_the_one_that_its_logits_and_the_shares_favor():
    palette = np.zeros((1, BINS), "float32")
    palette[0, [40, 300]] = (0.25, 0.75)
    odds = np.exp(LOGITS[..., 300] - LOGITS[..., 40]) * 3.0
    share = (odds / (1.0 + odds))[..., None]
    expected = share * BIN_CENTERS[300] + (1.0 - share) * BIN_CENTERS[40]
    # The colors that the palette lacks have a share of 529 in 100,000.
    np.testing.assert_allclose(PaletteColors()([LOGITS, palette]), expected, atol=0.02)


def test_without_a_palette_the_logits_decide_alone():
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=-1, keepdims=True)
    colors = PaletteColors()([LOGITS, np.zeros((1, BINS), "float32")])
    np.testing.assert_allclose(colors, shares @ BIN_CENTERS, atol=1e-5)
