"""Upsampled color follows the edges of objects, and texture in the lightness causes no halos."""

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf
from scipy import ndimage

from benchmarks.guided_upsampling import (
    FACTOR,
    PHOTOGRAPHS,
    beside_edges,
    bilinear,
    errors,
    ours,
    photograph,
    shrunk,
)
from inference.guided_upsampling import GuidedUpsampling, cubic_weights, follow_lightness, slopes

SIDE = 256


@pytest.fixture(scope="module")
def measured():
    """For each photograph: our error, that of bilinear interpolation, and where the edges are."""
    measurements = {}
    for name in PHOTOGRAPHS:
        lab100 = photograph(name)
        edges = beside_edges(lab100[..., :1])
        measurements[name] = errors(lab100, ours), errors(lab100, bilinear), edges
    return measurements


def interpolated(lightness, ab, height, width):
    """Upsamples ab by interpolation alone, without the detail of the lightness."""
    strip = GuidedUpsampling(lightness, ab, height, width).strip(0, height)
    return np.moveaxis(strip[:2], 0, -1)


def random_small(height, width, seed=0):
    random = np.random.default_rng(seed)
    lightness = random.uniform(0.0, 100.0, (height, width, 1)).astype("float32")
    return lightness, random.uniform(-60.0, 60.0, (height, width, 2)).astype("float32")


def checkerboard(side, low, high):
    rows, columns = np.indices((side, side))
    return np.where((rows + columns) % 2, low, high)[..., None].astype("float32")


def grain():
    return np.random.default_rng(0).normal(50.0, 15.0, (SIDE, SIDE))


def stripes():
    return np.where(np.arange(SIDE) // 20 % 2, 15.0, 85.0) * np.ones((SIDE, 1))


def cloth():
    noise = np.random.default_rng(1).normal(0.0, 1.0, (SIDE, SIDE))
    return 50.0 + 200.0 * ndimage.gaussian_filter(noise, 4.0)


def coffee():
    return photograph("coffee")[:SIDE, :SIDE, 0]


TEXTURES = pytest.mark.parametrize("texture", [grain, stripes, cloth, coffee])


def textured(texture, ab):
    """An image whose lightness is a texture and whose color does not depend on it."""
    lightness = np.clip(texture(), 0.0, 100.0)[..., None]
    return np.concatenate([lightness, ab], axis=-1).astype("float32")


def test_beside_edges_the_error_is_at_least_15_percent_below_bilinear(measured):
    ratios = [own[edges].mean() / other[edges].mean() for own, other, edges in measured.values()]
    assert np.mean(ratios) < 0.85


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_photograph_is_worse_than_bilinear_beside_edges(measured, name):
    own, other, edges = measured[name]
    assert 0.1 < edges.mean() < 0.3
    assert own[edges].mean() < other[edges].mean()


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_no_photograph_is_worse_than_bilinear_as_a_whole(measured, name):
    own, other, _ = measured[name]
    assert own.mean() < other.mean()


@TEXTURES
def test_texture_makes_no_halo_where_there_is_one_color(texture):
    ab = np.broadcast_to(np.float32([40.0, -60.0]), (SIDE, SIDE, 2))
    assert errors(textured(texture, ab), ours).max() < 0.01


@TEXTURES
def test_texture_makes_no_halo_where_color_changes_smoothly(texture):
    rows, columns = np.indices((SIDE, SIDE))
    ab = np.stack([40 * np.sin(columns / 40), 40 * np.cos(rows / 50 + columns / 90)], axis=-1)
    lab100 = textured(texture, ab)
    assert errors(lab100, ours).mean() < 1.5 * errors(lab100, bilinear).mean()


def test_color_follows_lightness_where_both_change_together():
    # The edge lies inside a pixel of the small image.
    step = np.where(np.arange(SIDE) < SIDE // 2 + 3, 0.0, 1.0) * np.ones((SIDE, 1))
    lab100 = np.stack([20 + 60 * step, 50 * step, -30 * step], axis=-1).astype("float32")
    edges = beside_edges(lab100[..., :1])
    assert errors(lab100, ours)[edges].mean() < 0.4 * errors(lab100, bilinear)[edges].mean()


def test_color_ramps_are_upsampled_without_a_shift():
    # A shift by half a pixel of the small image would change every value by 0.5.
    small = np.indices((12, 20)).transpose(1, 2, 0).astype("float32")
    flat = np.full((12, 20, 1), 50.0, "float32")
    large = interpolated(flat, small, 60, 140)
    rows, columns = (np.arange(60) + 0.5) / 5 - 0.5, (np.arange(140) + 0.5) / 7 - 0.5
    expected = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
    inside = slice(15, 45), slice(21, 119)
    np.testing.assert_allclose(large[inside], expected[inside], atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(96, 64), (5000, 3), (40, 7), (10, 300)])
def test_strips_joined_equal_the_whole(height, width):
    upsampling = GuidedUpsampling(*random_small(16, 24), height, width)
    tops = [0, 1, height // 3, height // 3 + 2, height - 1, height]
    strips = [upsampling.strip(top, end - top) for top, end in pairwise(tops)]
    whole = upsampling.strip(0, height)
    assert whole.shape == (5, height, width)
    assert np.abs(whole).min(axis=0).max() > 0.0
    np.testing.assert_allclose(np.concatenate(strips, axis=1), whole, atol=0.02)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (10, 300), (20, 12), (64, 48)])
def test_one_color_stays_the_same_at_every_size(size):
    lightness, _ = random_small(32, 32)
    ab = np.broadcast_to(np.float32([30.0, -20.0]), (32, 32, 2))
    full = np.random.default_rng(1).uniform(0.0, 100.0, size).astype("float32")
    strip = GuidedUpsampling(lightness, ab, *size).strip(0, size[0])
    colored = np.stack(follow_lightness(full, strip), axis=-1)
    np.testing.assert_allclose(colored, np.broadcast_to(ab[:1, :1], (*size, 2)), atol=0.01)


@pytest.mark.parametrize("large", [1, 2, 5, 23, 24, 25, 40, 131, 1000])
@pytest.mark.parametrize("small", [1, 2, 7, 24])
def test_weights_are_those_of_tensorflows_bicubic(small, large):
    row = np.random.default_rng(0).uniform(-50.0, 50.0, (1, small, 3)).astype("float32")
    expected = tf.image.resize(row, (1, large), "bicubic", antialias=True)[0]
    weights = cubic_weights(small, large, 0, large)
    assert weights.shape == (large, small)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights @ row[0], expected, atol=2e-3)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)


def test_weights_of_a_part_are_a_part_of_the_weights():
    whole = cubic_weights(24, 500, 0, 500)
    np.testing.assert_array_equal(cubic_weights(24, 500, 77, 31), whole[77:108])


def test_a_strip_is_written_to_the_given_array():
    upsampling = GuidedUpsampling(*random_small(16, 24), 200, 300)
    out = np.zeros((5, 40, 300), "float32")
    assert upsampling.strip(70, 40, out) is out
    np.testing.assert_array_equal(out, upsampling.strip(70, 40))


def test_photographs_smaller_than_the_network_input_get_averaged_colors():
    lightness, ab = random_small(64, 64)
    expected = tf.image.resize(ab, (8, 16), "bicubic", antialias=True)
    np.testing.assert_allclose(interpolated(lightness, ab, 8, 16), expected, atol=0.1)
    assert np.std(interpolated(lightness, ab, 8, 16)) < 0.5 * np.std(ab)


def test_a_photograph_of_one_pixel_gets_about_the_mean_color():
    lightness, ab = random_small(16, 16)
    colored = np.asarray(interpolated(lightness, ab, 1, 1))
    assert colored.shape == (1, 1, 2)
    assert (np.abs(colored - ab.mean(axis=(0, 1))) < 15).all()


def test_slopes_are_those_of_a_line_fitted_by_numpy():
    # Each channel lies on a line over the lightness.
    lightness = checkerboard(20, 10.0, 90.0)
    ab = np.concatenate([0.3 * lightness - 5.0, 20.0 - 0.7 * lightness], axis=-1)
    fitted = [np.polyfit(lightness.ravel(), ab[..., channel].ravel(), 1)[0] for channel in (0, 1)]
    np.testing.assert_allclose(fitted, [0.3, -0.7], atol=1e-4)
    found = slopes(lightness, ab)
    assert found.shape == (20, 20, 2)
    # The variance is at least 600 everywhere, to which the noise threshold adds 2.
    np.testing.assert_allclose(found, np.broadcast_to(fitted, (20, 20, 2)), rtol=0.02)


def test_slopes_are_local():
    lightness = checkerboard(24, 10.0, 90.0)
    left = np.arange(24)[:, None] < 12
    ab = np.concatenate([np.where(left, 0.5, -0.25), np.where(left, 0.0, 1.0)], axis=-1)
    found = slopes(lightness, (lightness * ab).astype("float32"))
    # The windows of these columns hardly reach across the border.
    np.testing.assert_allclose(found[2:-2, 2:7], np.full((20, 5, 2), [0.5, 0.0]), atol=0.02)
    np.testing.assert_allclose(found[2:-2, -7:-2], np.full((20, 5, 2), [-0.25, 1.0]), atol=0.02)


def test_color_does_not_follow_noise_in_lightness():
    random = np.random.default_rng(0)
    noise = random.normal(0.0, 1.0, (50, 50, 1)).astype("float32")
    ab = np.concatenate([noise, -noise], axis=-1)
    assert np.abs(slopes(50 + noise, ab)).max() < 0.5
    assert np.abs(slopes(50 + 30 * noise, 30 * ab)).min() > 0.5


def test_follow_lightness_equals_a_calculation_by_hand():
    strip = np.float32([10.0, -20.0, 50.0, 0.5, -0.2]).reshape(5, 1, 1)
    a, b = follow_lightness(np.float32([[60.0]]), strip)
    np.testing.assert_allclose([a, b], [[[15.0]], [[-22.0]]])


def test_factor_divides_the_size_of_every_photograph():
    for name in PHOTOGRAPHS:
        lab100 = photograph(name)
        small = shrunk(lab100)
        assert [side * FACTOR for side in small.shape[:2]] == list(lab100.shape[:2])
        np.testing.assert_allclose(small.mean(axis=(0, 1)), lab100.mean(axis=(0, 1)), atol=0.01)
