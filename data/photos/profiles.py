"""ICC profiles: into sRGB to compute, and back."""

import functools
import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
import pyvips
from PIL import ImageCms

# In units of a 16-bit channel, half a step of an 8-bit one.
_NO_DIFFERENCE = 128

_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
_INTENT = {"intent": "relative", "black_point_compensation": True}


def profile_channels(profile: bytes) -> int:
    """How many channels a profile is for: 1 (gray), 3 (RGB) or 4 (CMYK); 0 when it is broken."""
    try:
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
    except (OSError, ImageCms.PyCMSError):
        return 0
    return _CHANNELS.get(profile[16:20], 0)


def srgb_profile() -> bytes:
    """The profile of sRGB."""
    return bytes(pyvips.Operation.call("profile_load", "srgb"))


@functools.lru_cache(maxsize=64)
def is_srgb(profile: bytes) -> bool:
    """Whether a gray or RGB profile says what sRGB says, within half a step of 255."""
    channels = profile_channels(profile)
    levels = np.linspace(0, 65535, 9).round().astype("uint16")
    if channels == 1:
        samples = levels[None, :, None]
        expected = np.repeat(samples, 3, axis=-1)
    else:
        samples = expected = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(9, -1, 3)
    image = pyvips.Image.new_from_array(samples)
    image = image.copy(interpretation="grey16" if channels == 1 else "rgb16")
    difference = profile_to_srgb(image, profile).numpy().astype(int) - expected
    return bool(np.abs(difference).max() < _NO_DIFFERENCE)


def profile_to_srgb(image: pyvips.Image, profile: bytes) -> pyvips.Image:
    """Converts an image from a profile to sRGB of 16 bits.

    Args:
        image: with as many channels as the profile is for.
        profile: bytes, not broken.
    """
    return image.icc_transform("srgb", input_profile=_file(profile), depth=16, **_INTENT)


def srgb_to_profile(srgb: np.ndarray, profile: bytes, depth: int) -> np.ndarray:
    """Converts sRGB to an RGB profile.

    Args:
        srgb: uint16 array of shape (height, width, 3).
        profile: bytes.
        depth: int, bits of a channel of the result, 8 or 16.

    Returns:
        uint8 or uint16 array of the same shape.
    """
    image = pyvips.Image.new_from_array(srgb).copy(interpretation="rgb16")
    # In one step: by way of an image in Lab, 7 % of the levels of 16 bits are lost.
    return image.icc_transform(_file(profile), input_profile="srgb", depth=depth, **_INTENT).numpy()


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="profiles-")


@functools.lru_cache(maxsize=64)
def _file(profile: bytes) -> str:
    """The name of a file with the profile: libvips takes profiles by name."""
    path = Path(_folder().name, hashlib.sha256(profile).hexdigest() + ".icc")
    path.write_bytes(profile)
    return str(path)
