"""Training images in which hints are about one thing alone."""

import numpy as np
import pytest

from models.one_thing import CHANCES, about_one_thing

SIZE = (32, 24)
RANDOM = np.random.default_rng(0)
LIGHTNESS = RANDOM.uniform(-1, 1, (1, *SIZE, 1)).astype("float32")
AB = RANDOM.uniform(-0.5, 0.5, (1, *SIZE, 2)).astype("float32")
HINTS = np.concatenate([AB, np.ones_like(LIGHTNESS)], axis=-1)
PALETTES = np.full((1, 529), 1 / 529, "float32")


def automatic(lightness):
    return np.repeat(np.asarray(lightness), 2, axis=-1) * np.float32(0.1)


def changed(kind, seed=1):
    chances = np.random.default_rng(seed).uniform(size=(1, CHANCES)).astype("float32")
    chances[:, 0] = kind
    parts = about_one_thing(LIGHTNESS, AB, HINTS, PALETTES, automatic, chances)
    return [np.asarray(part) for part in parts]


def test_most_images_stay_as_they_are():
    for part, expected in zip(changed(0.25), (LIGHTNESS, AB, HINTS, PALETTES), strict=True):
        np.testing.assert_array_equal(part, expected)


@pytest.mark.parametrize("kind", [0.0, 0.2], ids=["drawn", "photograph"])
def test_what_is_not_hinted_should_keep_its_automatic_colors(kind):
    for seed in range(5):
        lightness, ab, hints, palettes = changed(kind, seed)
        is_hinted = hints[..., 2] == 1.0
        assert 0.0 < is_hinted.mean() < 1.0
        np.testing.assert_allclose(ab[~is_hinted], automatic(lightness)[~is_hinted], atol=1e-6)
        assert not hints[~is_hinted].any()
        np.testing.assert_array_equal(hints[is_hinted, :2], ab[is_hinted])
        assert not palettes.any()


def test_a_thing_of_a_photograph_is_lighter_or_darker_than_all_else():
    for seed in range(5):
        lightness, ab, hints, _ = changed(0.2, seed)
        np.testing.assert_array_equal(lightness, LIGHTNESS)
        is_hinted = hints[0, ..., 2] == 1.0
        inside, outside = LIGHTNESS[0, is_hinted], LIGHTNESS[0, ~is_hinted]
        assert inside.min() > outside.max() or inside.max() <= outside.min()
        # One color is added to half of its own.
        added = ab[0, is_hinted] - 0.5 * AB[0, is_hinted]
        np.testing.assert_allclose(added, np.broadcast_to(added[0], added.shape), atol=1e-6)


def test_a_drawing_has_two_to_five_fields_and_one_color_in_the_first():
    for seed in range(5):
        lightness, ab, hints, _ = changed(0.0, seed)
        assert 2 <= len(np.unique(lightness)) <= 5
        is_hinted = hints[..., 2] == 1.0
        assert len(np.unique(lightness[is_hinted])) == 1
        assert len(np.unique(ab[is_hinted], axis=0)) == 1
