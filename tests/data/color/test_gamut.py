"""Colors that sRGB can show are recognized, and others are moved into it at constant hue."""

import warnings

import numpy as np
import pytest
from skimage import color

from data.color import gamut, lab
from data.color.lab_planes import lab100_to_linear
from tests.colors import lab_outside_the_gamut, rgb_cube


def survives_srgb(lab100, tolerance):
    """Returns whether a color is unchanged by scikit-image's clipped sRGB."""
    lab100 = np.asarray(lab100, "float64")
    with warnings.catch_warnings():
        # scikit-image warns about colors outside of sRGB, which are expected here.
        warnings.simplefilter("ignore", UserWarning)
        back = color.rgb2lab(color.lab2rgb(lab100))
    return np.abs(back - lab100).max(axis=-1) < tolerance


def is_in_gamut(lab100):
    lab100 = np.asarray(lab100, "float32")
    linear = lab100_to_linear(*(lab100[..., channel] for channel in range(3)))
    return np.asarray(gamut.is_linear_in_gamut(linear))


def hue(lab100):
    return np.arctan2(np.asarray(lab100)[..., 2], np.asarray(lab100)[..., 1])


def chroma(lab100):
    return np.linalg.norm(np.asarray(lab100)[..., 1:], axis=-1)


def test_color_is_in_gamut_when_it_survives_skimage_srgb():
    low, high = [0.0, -128.0, -128.0], [100.0, 128.0, 128.0]
    anything = np.random.default_rng(0).uniform(low, high, (20000, 3))
    # Few random Lab colors are inside and hardly any are near the border, unlike the faces of the
    # cube.
    around = color.rgb2lab(rgb_cube(step=15)) * [1.0, 1.05, 1.05]
    lab100 = np.concatenate([anything, around, color.rgb2lab(rgb_cube(step=15))])
    is_inside = is_in_gamut(lab100)
    assert is_inside[survives_srgb(lab100, tolerance=1e-4)].all()
    assert survives_srgb(lab100[is_inside], tolerance=0.5).all()
    assert 0.1 < is_inside.mean() < 0.9


def test_colors_in_gamut_are_unchanged():
    lab100 = color.rgb2lab(rgb_cube()).astype("float32")
    np.testing.assert_allclose(gamut.pull_into_gamut(lab100), lab100, rtol=1e-6, atol=1e-5)


def test_pulled_colors_are_in_gamut():
    pulled = gamut.pull_into_gamut(lab_outside_the_gamut())
    assert is_in_gamut(pulled).all()
    assert survives_srgb(pulled, tolerance=0.5).all()


def test_pulling_keeps_lightness_and_hue():
    lab100 = lab_outside_the_gamut()
    pulled = np.asarray(gamut.pull_into_gamut(lab100))
    np.testing.assert_array_equal(pulled[..., 0], lab100[..., 0])
    has_hue = chroma(pulled) > 0.1
    assert has_hue.mean() > 0.95
    np.testing.assert_allclose(hue(pulled)[has_hue], hue(lab100)[has_hue], atol=1e-4)


def test_pulled_colors_are_shown_with_the_same_lightness():
    # Clipping alone is wrong by more than 20.
    lab100 = lab_outside_the_gamut()
    shown = color.rgb2lab(np.asarray(lab.lab100_to_rgb1(gamut.pull_into_gamut(lab100))))
    np.testing.assert_allclose(shown[..., 0], lab100[..., 0], atol=0.1)


def test_pulled_colors_have_the_largest_chroma_of_their_lightness_and_hue():
    lab100 = lab_outside_the_gamut(2000)
    shares = np.linspace(0.0, 1.0, 513)
    toward_gray = np.repeat(lab100[:, None], len(shares), axis=1)
    toward_gray[..., 1:] *= shares[:, None]
    survives = survives_srgb(toward_gray, tolerance=0.01)
    largest = (survives * shares).max(axis=1) * chroma(lab100)
    excess = chroma(gamut.pull_into_gamut(lab100)) - largest
    # The lower bound allows for a bisection step, and for the tolerance along a ray close to a face
    # of the cube. The upper bound allows for a step of the scan.
    assert (excess > -chroma(lab100) / 4096 - 0.1).all()
    assert (excess < chroma(lab100) / 512 + 0.1).all()


def test_grays_are_in_gamut_and_stay_gray():
    grays = np.zeros((201, 3), "float32")
    grays[:, 0] = np.linspace(0.0, 100.0, 201)
    assert is_in_gamut(grays).all()
    np.testing.assert_array_equal(gamut.pull_into_gamut(grays), grays)


@pytest.mark.parametrize(("lightness", "level"), [(0.0, 0), (100.0, 255)])
def test_black_and_white_have_no_color(lightness, level):
    ab = np.random.default_rng(0).uniform(-100.0, 100.0, (200, 2))
    lab100 = lab.join_lab(np.full((200, 1), lightness), ab)
    assert not is_in_gamut(lab100).any()
    shown = np.asarray(lab.rgb1_to_rgb255(lab.lab100_to_rgb1(gamut.pull_into_gamut(lab100))))
    assert np.abs(shown.astype(int) - level).max() <= 1


def test_planes_are_pulled_like_colors_with_channels_last():
    lab100 = lab_outside_the_gamut(1000)
    pulled = np.asarray(gamut.pull_into_gamut(lab100))
    share = np.asarray(gamut.share_in_gamut(*lab100.T))
    assert share.shape == (len(lab100),)
    np.testing.assert_allclose(share[:, None] * lab100[:, 1:], pulled[:, 1:], rtol=1e-6)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.2, 2.0])
def test_strengthened_colors_are_as_strong_as_requested_or_as_srgb_can_show(factor):
    lab100 = color.rgb2lab(rgb_cube(step=15))
    found = np.asarray(gamut.strengthen(lab100, factor))
    np.testing.assert_allclose(found[..., 0], lab100[..., 0], atol=1e-4)
    whole = lab100 * [1.0, factor, factor]
    fits = is_in_gamut(whole)
    np.testing.assert_allclose(found[fits], whole[fits], atol=1e-3)
    if factor <= 1.0:
        np.testing.assert_allclose(found, whole, atol=1e-3)
        return
    assert 0.1 < fits.mean() < 0.9
    # Colors that do not fit are at the border, up to the last bisection step. The path from gray to
    # some blues leaves the gamut and enters it again; pulling finds the first border.
    strongest = chroma(gamut.pull_into_gamut(whole[~fits]))
    step = (factor - 1.0) / 32.0 * chroma(lab100[~fits])
    assert (chroma(found[~fits]) >= strongest - step - 0.2).all()
    # Rounding puts colors on the faces of the cube slightly outside.
    assert (chroma(found[~fits]) >= chroma(lab100[~fits]) - 0.01).all()
    assert survives_srgb(found, tolerance=0.5).all()
