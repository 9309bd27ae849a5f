"""A recombined photograph has the size, depth, lightness and alpha of the original."""

import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from data.color.lab import split_lab
from data.color.lab_planes import integers_to_lightness100
from data.photos.page import PIXELS_IN_A_STRIP
from inference import lab_recombiner
from inference.lab_recombiner import allocate_planes, prepare_recombination, recombined_strips
from tests.inference.red import A_LITTLE_RED, colored, lab100


def at_depth(rgb255, depth):
    """Converts 8-bit pixels to the depth. 16-bit pixels get noise in the lower bits."""
    if depth == 8:
        return rgb255
    noise = np.random.default_rng(0).integers(0, 257, rgb255.shape)
    return np.minimum(rgb255.astype(int) * 257 + noise, 65535).astype("uint16")


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (20000, 10), (10, 20000), (97, 64)])
def test_size_and_depth_are_preserved(a_little_red, page_of, size, channels, dtype):
    pixels = np.full((*size, channels), np.iinfo(dtype).max // 2, dtype)
    result = colored(a_little_red, page_of(pixels))
    assert result.shape == (*size, 3)
    assert result.dtype == dtype
    # Every pixel is colored, up to the borders.
    ab = np.broadcast_to(A_LITTLE_RED, (*size, 2))
    np.testing.assert_allclose(lab100(result)[..., 1:], ab, atol=0.6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_preserved(a_little_red, page_of, channels, dtype):
    end = np.iinfo(dtype).max
    pixels = np.random.default_rng(0).integers(0, end + 1, (40, 50, channels)).astype(dtype)
    pixels[:5, :, -1] = 0
    pixels[5:10, :, -1] = end
    result = colored(a_little_red, page_of(pixels))
    assert result.shape == (40, 50, 4)
    assert result.dtype == dtype
    np.testing.assert_array_equal(result[..., -1], pixels[..., -1])


@pytest.mark.parametrize("depth", [8, 16])
def test_lightness_is_that_of_the_photograph(a_little_red, page_of, depth):
    pixels = at_depth(data.coffee(), depth)
    before, after = lab100(pixels), lab100(colored(a_little_red, page_of(pixels)))
    lightness_off = np.abs(before[..., 0] - after[..., 0])
    assert lightness_off.mean() < 0.5
    assert np.percentile(lightness_off, 99.9) < 3
    if depth == 16:
        assert lightness_off.max() < 0.1
    np.testing.assert_allclose(np.median(after[..., 1:], axis=(0, 1)), A_LITTLE_RED, atol=0.3)


@pytest.mark.parametrize("ab", [(100.0, -100.0), (-90.0, 5.0), (80.0, 100.0)])
def test_colors_outside_the_gamut_keep_lightness_and_hue(a_little_red, page_of, ab):
    ramp = np.linspace(4000, 64000, 64 * 64).round().astype("uint16").reshape(64, 64, 1)
    page = page_of(ramp)
    lightness, _ = split_lab(a_little_red.lab_at_render_size(page))
    predicted = np.float32(ab) + np.zeros_like(lightness)
    after = lab100(np.concatenate(list(a_little_red.strips(page, lightness, predicted))))
    before = lab100(np.repeat(ramp, 3, axis=-1))
    np.testing.assert_allclose(after[..., 0], before[..., 0], atol=0.15)
    chroma = np.linalg.norm(after[..., 1:], axis=-1)
    assert chroma.max() < 0.99 * np.linalg.norm(ab)
    assert np.median(chroma) > 20
    hue_off = np.arctan2(after[..., 2], after[..., 1]) - np.arctan2(ab[1], ab[0])
    assert np.abs(np.degrees(hue_off))[chroma > 10].max() < 1


@pytest.mark.parametrize(("channels", "dtype"), [(1, "uint8"), (3, "uint16")])
def test_prepared_functions_are_not_traced_again(page_of, monkeypatch, channels, dtype):
    traced = []

    def counting(rgb):
        traced.append(len(rgb))
        return integers_to_lightness100(rgb)

    monkeypatch.setattr(lab_recombiner, "integers_to_lightness100", counting)
    for name in ("_recombine", "_recombine_out_of_gamut"):
        # Earlier tests may have traced them.
        fresh = tf.function(getattr(lab_recombiner, name).python_function, jit_compile=True)
        monkeypatch.setattr(lab_recombiner, name, fresh)
    prepare_recombination(channels, dtype)
    assert traced == [channels] * 2
    # Black cannot be red: these pixels are outside the gamut.
    page = page_of(np.zeros((30, 40, channels), dtype))
    small, red = np.zeros((32, 32, 1), "float32"), np.full((32, 32, 2), 20.0, "float32")
    after = lab100(np.concatenate(list(recombined_strips(page, small, red))))
    assert np.abs(after[..., 1:]).max() < 1
    assert traced == [channels] * 2


def test_16_bit_levels_stay_distinct(a_little_red, page_of):
    ramp = np.arange(65536, dtype="uint16").reshape(256, 256, 1)
    result = colored(a_little_red, page_of(ramp))
    assert len(np.unique(result.reshape(-1, 3), axis=0)) >= 0.99 * 65536


@pytest.mark.parametrize("shape", [(1, 1, 1), (100, 200, 3), (3, PIXELS_IN_A_STRIP, 1)])
def test_planes_are_where_tensorflow_can_use_them(shape):
    for _ in range(5):
        planes = allocate_planes(np.zeros(shape, "uint8"))
        assert planes.ctypes.data % 64 == 0
        assert planes.shape == (5, (3 if shape[0] == 3 else 1) * PIXELS_IN_A_STRIP)
