"""Colors are converted as by LittleCMS, and 16 bits stay 16 bits."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from data.photos.profiles import (
    is_srgb,
    profile_channels,
    profile_to_srgb,
    srgb_profile,
    srgb_to_profile,
)

INTERPRETATIONS = {"L": "b-w", "RGB": "srgb", "CMYK": "cmyk"}
BLACK_POINT_COMPENSATION = ImageCms.Flags.BLACKPOINTCOMPENSATION


def built_in(name):
    """A profile that comes with libvips."""
    return bytes(pyvips.Operation.call("profile_load", name))


def of_pillow(kind="sRGB"):
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()


def colors(channels, count=400, seed=0):
    """Random colors and the corners, uint8."""
    corners = np.stack(np.meshgrid(*[[0, 255]] * channels), axis=-1).reshape(-1, channels)
    random = np.random.default_rng(seed).integers(0, 256, (count - len(corners), channels))
    return np.concatenate([corners, random]).astype("uint8").reshape(20, -1, channels)


def converted_by_pillow(pixels, source, target, mode):
    transform = ImageCms.buildTransform(
        io.BytesIO(source),
        io.BytesIO(target),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        BLACK_POINT_COMPENSATION,
    )
    image = Image.fromarray(pixels.squeeze(), mode if mode == "CMYK" else None)
    return np.asarray(ImageCms.applyTransform(image, transform)).astype(int)


def image_of(pixels, mode):
    return pyvips.Image.new_from_array(pixels).copy(interpretation=INTERPRETATIONS[mode])


def ramp():
    """All 16-bit gray levels, in three channels."""
    return np.repeat(np.arange(65536, dtype="uint16").reshape(256, 256, 1), 3, axis=-1)


# --- properties of a profile -------------------------------------------------------------------


@pytest.mark.parametrize(("name", "channels"), [("srgb", 3), ("p3", 3), ("cmyk", 4), ("sgrey", 1)])
def test_channels_are_counted(name, channels):
    assert profile_channels(built_in(name)) == channels


def test_channels_of_other_profiles_are_counted(make_gray_profile, scanner_profile):
    assert profile_channels(of_pillow()) == 3
    assert profile_channels(make_gray_profile(2.2)) == 1
    assert profile_channels(scanner_profile) == 3


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        b"icc",
        b"garbage " * 100,
        built_in("srgb")[:100],
        built_in("p3")[:200],
        b"GARBAGE " * 4 + b"acsp" * 40,
        # A table of tags without the tags.
        built_in("p3")[:252],
        built_in("p3")[:252] + bytes(228),
    ],
)
def test_broken_profile_has_no_channels(profile):
    assert profile_channels(profile) == 0


@pytest.mark.parametrize("kind", ["LAB", "XYZ"])
def test_lab_and_xyz_profiles_have_no_channels(kind):
    assert profile_channels(of_pillow(kind)) == 0


def test_srgb_is_distinguished_from_others(make_gray_profile):
    assert is_srgb(built_in("srgb"))
    assert is_srgb(of_pillow())
    assert is_srgb(built_in("sgrey"))
    assert not is_srgb(built_in("p3"))
    # Many gray profiles have a gamma near the curve of sRGB, which is up to 7 of 255 levels off.
    assert not is_srgb(make_gray_profile(2.2))
    assert not is_srgb(make_gray_profile(1.8))


def test_srgb_profile_equals_that_of_pillow():
    converted = converted_by_pillow(colors(3), srgb_profile(), of_pillow(), "RGB")
    assert np.abs(converted - colors(3)).max() <= 1


# --- to sRGB -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "mode"), [("srgb", "RGB"), ("p3", "RGB"), ("cmyk", "CMYK")])
def test_conversion_to_srgb_equals_littlecms(name, mode):
    pixels = colors(len(mode))
    converted = profile_to_srgb(image_of(pixels, mode), built_in(name))
    assert converted.format == "ushort"
    expected = converted_by_pillow(pixels, built_in(name), of_pillow(), mode)
    assert np.abs(converted.numpy() / 257 - expected).max() <= 1.5


@pytest.mark.parametrize("gamma", [1.0, 1.8, 2.2])
def test_conversion_of_gray_to_srgb_equals_littlecms(make_gray_profile, gamma):
    levels = np.arange(256, dtype="uint8").reshape(16, 16, 1)
    converted = profile_to_srgb(image_of(levels, "L"), make_gray_profile(gamma)).numpy()
    expected = converted_by_pillow(levels, make_gray_profile(gamma), of_pillow(), "L")
    assert converted.shape == (16, 16, 3)
    assert np.abs(converted / 257 - expected).max() <= 1.0


def test_conversion_of_a_scan_to_srgb_equals_littlecms(scanner_profile):
    converted = profile_to_srgb(image_of(colors(3), "RGB"), scanner_profile).numpy()
    expected = converted_by_pillow(colors(3), scanner_profile, of_pillow(), "RGB")
    assert np.abs(converted / 257 - expected).max() <= 1.5


def test_profile_inside_the_image_is_ignored():
    image = image_of(colors(3), "RGB").copy()
    image.set_type(pyvips.GValue.blob_type, "icc-profile-data", built_in("p3"))
    converted = profile_to_srgb(image, built_in("srgb")).numpy()
    assert np.abs(converted / 257 - colors(3)).max() <= 0.5


# --- from sRGB, and round trips ----------------------------------------------------------------


def test_conversion_from_srgb_equals_littlecms():
    srgb = colors(3).astype("uint16") * 257
    converted = srgb_to_profile(srgb, built_in("p3"), depth=8)
    assert converted.dtype == np.uint8
    expected = converted_by_pillow(colors(3), of_pillow(), built_in("p3"), "RGB")
    assert np.abs(converted - expected).max() <= 1


def test_eight_bits_survive_the_round_trip_through_srgb():
    # The colors are inside sRGB: others are clipped, which is not an error of the round trip.
    inside = srgb_to_profile(colors(3).astype("uint16") * 257, built_in("p3"), depth=8)
    srgb = profile_to_srgb(image_of(inside, "RGB"), built_in("p3")).numpy()
    back = srgb_to_profile(srgb, built_in("p3"), depth=8)
    assert np.abs(back.astype(int) - inside).max() <= 1


def test_sixteen_bits_survive_the_round_trip_through_srgb():
    image = pyvips.Image.new_from_array(ramp()).copy(interpretation="rgb16")
    srgb = profile_to_srgb(image, built_in("p3")).numpy()
    back = srgb_to_profile(srgb, built_in("p3"), depth=16)
    assert back.dtype == np.uint16
    assert np.abs(back.astype(int) - ramp()).max() <= 16
    for pixels in (srgb, back):
        for channel in range(3):
            assert len(np.unique(pixels[..., channel])) >= 0.99 * 65536


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 50, 3), (50, 1, 3)])
def test_shape_is_kept(shape):
    srgb = np.full(shape, 30000, "uint16")
    assert srgb_to_profile(srgb, built_in("p3"), depth=16).shape == shape


def test_several_threads_may_convert_at_once():
    # libvips ignores a missing profile unless it has cached the operation; it does not in a batch.
    pyvips.cache_set_max(0)
    image = image_of(colors(3), "RGB")
    names = ["srgb", "p3"] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda name: profile_to_srgb(image, built_in(name)).numpy(), names))
    for pixels, name in zip(found, names, strict=True):
        np.testing.assert_array_equal(pixels, profile_to_srgb(image, built_in(name)).numpy())
    assert (found[0] != found[1]).any()
