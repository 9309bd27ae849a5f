"""Converts colors from ICC profiles to sRGB and back."""

import functools
import io
import tempfile

import numpy as np
import pyvips
from PIL import ImageCms

# Half a step of an 8-bit channel, in units of a 16-bit channel.
_NO_DIFFERENCE = 128

_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
_INTERPRETATIONS = {1: "grey16", 3: "rgb16", 4: "cmyk"}
_INTENT = {"intent": "relative", "black_point_compensation": True}


@functools.lru_cache(maxsize=64)
def profile_channels(profile: bytes) -> int:
    """The number of channels of a profile: 1 (gray), 3 (RGB) or 4 (CMYK); 0 if it is broken."""
    channels = _CHANNELS.get(profile[16:20], 0)
    # A profile begins with its size. libvips silently ignores a truncated profile.
    if not channels or int.from_bytes(profile[:4], "big") > len(profile):
        return 0
    sample = pyvips.Image.new_from_array(np.zeros([1, 1, channels], "uint16"))
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
        profile_to_srgb(sample.copy(interpretation=_INTERPRETATIONS[channels]), profile).numpy()
    except (OSError, ImageCms.PyCMSError, pyvips.Error):
        return 0
    return channels


@functools.lru_cache(maxsize=64)
def can_hold_colors(profile: bytes) -> bool:
    """Whether colors can be converted to a profile; scanner profiles only define the reverse."""
    if profile_channels(profile) != 3:
        return False
    try:
        srgb_to_profile(np.zeros([1, 1, 3], "uint16"), profile, 16)
    except pyvips.Error:
        return False
    return True


def srgb_profile() -> bytes:
    """The ICC profile of sRGB."""
    return bytes(pyvips.Operation.call("profile_load", "srgb"))


@functools.lru_cache(maxsize=64)
def is_srgb(profile: bytes) -> bool:
    """Whether a gray or RGB profile equals sRGB, within half a step of an 8-bit channel."""
    channels = profile_channels(profile)
    levels = np.linspace(0, 65535, 9).round().astype("uint16")
    if channels == 1:
        samples = levels[None, :, None]
        expected = np.repeat(samples, 3, axis=-1)
    else:
        samples = expected = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(9, -1, 3)
    image = pyvips.Image.new_from_array(samples)
    image = image.copy(interpretation=_INTERPRETATIONS[channels])
    difference = profile_to_srgb(image, profile).numpy().astype(int) - expected
    return bool(np.abs(difference).max() < _NO_DIFFERENCE)


def profile_to_srgb(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """Converts an image from a profile to 16-bit sRGB.

    Args:
        image: `pyvips.Image` with the number of channels of the profile.
        profile: bytes of a valid profile.
    """
    return image.icc_transform("srgb", input_profile=_file(profile), depth=16, **_INTENT)


def srgb_to_profile(srgb: np.ndarray, profile: bytes, depth: int) -> np.ndarray:
    """Converts sRGB to an RGB profile.

    Args:
        srgb: uint16 array of shape (height, width, 3).
        profile: bytes of the profile.
        depth: int, the bits per channel of the result, 8 or 16.

    Returns:
        uint8 or uint16 array of the same shape.
    """
    image = pyvips.Image.new_from_array(srgb).copy(interpretation="rgb16")
    # In one step: an intermediate image in Lab would lose 7 % of the 16-bit levels.
    return image.icc_transform(_file(profile), input_profile="srgb", depth=depth, **_INTENT).numpy()


_folder = tempfile.TemporaryDirectory(prefix="profiles-")


@functools.lru_cache(maxsize=64)
def _file(profile: bytes) -> str:
    """The path of a file with the profile, because libvips takes profiles by name."""
    # Several threads may write the same profile at once, each to a file of its own.
    with tempfile.NamedTemporaryFile(dir=_folder.name, suffix=".icc", delete=False) as file:
        file.write(profile)
    return file.name
