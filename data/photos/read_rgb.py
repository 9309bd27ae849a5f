"""Reads training images: everything that `PhotoFile` reads, as upright 8-bit sRGB.

Ordinary small images are decoded by Pillow, which needs half the time of libvips for them. All
others (profiles, deep samples, CMYK, TIFF ...) are read as a person's photographs are, so that a
network learns from what it is going to color.

Example:
    pixels = read_rgb("gray.jpg")       # uint8, (height, width, 3), upright
"""

import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from data.image_io import (
    UnreadableImageError,
    check_is_file,
    first_reason,
    shrink_image,
    shrink_rgb,
)
from data.photos import jpeg, png
from data.photos.exif import EXIF_PREFIX, orientation_of
from data.photos.file import PhotoFile
from data.photos.page import PhotoPage, on_white, to_depth
from data.photos.profiles import is_srgb, profile_channels

# The PNG text in which programs wrote EXIF before it had a chunk.
_RAW_PROFILE = "Raw profile type "

# Images of more pixels are decoded one at a time and, where libvips can, strip by strip: Pillow
# would need 2 GB for 100 megapixels with transparency, in each thread that reads images.
_LARGE = 2**25
_alone = threading.Lock()

_HEAD = 32
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")

# Pillow's operation that turns an image of each orientation upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_rgb(path: str | os.PathLike, short_side: int | None = None) -> np.ndarray:
    """Reads an image in any common format as upright 8-bit sRGB.

    Args:
        path: the image file. Only the first frame of an animation is read.
        short_side: int or None. If given, a larger image is shrunk until its shorter side has this
            many pixels; JPEG files are shrunk while they are decoded, which is several times
            faster. A smaller image is not enlarged. Defaults to `None`.

    Returns:
        uint8 array of shape (height, width, 3). Transparent pixels are composited on white.

    Raises:
        UnreadableImageError: the file is missing, broken, or not an image, or a part is missing.
    """
    with _one_line_errors(path):
        check_is_file(path)
        with open(path, "rb") as file:
            head = file.read(_HEAD)
            pixels = _decode_ordinary(head + file.read(), short_side) if _is_plain(head) else None
        return _read_photo(path, short_side) if pixels is None else pixels


def decode_rgb(encoded: bytes, short_side: int | None = None) -> np.ndarray:
    """Decodes an image in memory, as `read_rgb` does.

    Args:
        encoded: bytes of an image file.
        short_side: int or None, as in `read_rgb`. Defaults to `None`.

    Returns:
        uint8 array of shape (height, width, 3).

    Raises:
        UnreadableImageError: the image is broken, or the bytes are not an image.
    """
    with _one_line_errors():
        pixels = _decode_ordinary(encoded, short_side) if _is_plain(encoded[:_HEAD]) else None
        if pixels is not None:
            return pixels
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "image")
            path.write_bytes(encoded or b"\0")
            return _read_photo(path, short_side)


@contextlib.contextmanager
def _one_line_errors(path: str | os.PathLike | None = None) -> Iterator[None]:
    # Decoders raise many kinds of exceptions for broken files.
    try:
        yield
    except UnreadableImageError:
        raise
    except Exception as error:
        raise UnreadableImageError(first_reason(error, path)) from error


def _is_plain(head: bytes) -> bool:
    """Whether a file is of a format that Pillow decodes rightly unless it has a profile."""
    if head.startswith(png.SIGNATURE):
        # PNG tells the size and the depth in its head.
        width, height = (int.from_bytes(head[start : start + 4], "big") for start in (16, 20))
        return head[24:25] <= b"\x08" and width * height <= _LARGE
    return head.startswith((jpeg.SIGNATURE, b"BM", b"GIF8")) or _is_webp(head)


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _decode_ordinary(encoded: bytes, short_side: int | None) -> np.ndarray | None:
    """Decodes an image with Pillow, or returns None if it has to be read as a photograph."""
    try:
        if encoded.startswith(jpeg.SIGNATURE):
            return _decode_jpeg(jpeg.JpegImage(encoded), short_side)
        return _decode_with_pillow(encoded, short_side)
    except UnreadableImageError:
        raise
    except Exception:
        # `PhotoFile` tells why, or ignores what is broken beside the pixels.
        return None


def _decode_with_pillow(encoded: bytes, short_side: int | None) -> np.ndarray | None:
    with Image.open(io.BytesIO(encoded)) as image:
        if image.mode not in _MODES or not _is_in_srgb(image.info.get("icc_profile") or b""):
            return None
        if image.width * image.height > _LARGE:
            return None
        image.load()
        if any(str(name).startswith(_RAW_PROFILE) for name in image.info):
            return None
        exif = (image.info.get("exif") or b"").removeprefix(EXIF_PREFIX)
        return _upright_pixels(_on_white(image), orientation_of(exif), short_side)


def _decode_jpeg(image: jpeg.JpegImage, short_side: int | None) -> np.ndarray | None:
    if image.mode not in _MODES or not _is_in_srgb(image.profile):
        return None
    # The decoder rounds the sides of an image that it shrinks, so those of the file count.
    size = image.width, image.height
    room = min(size) / short_side if short_side else 1
    with _turn_of(*size):
        shrink = next((shrink for shrink in jpeg.SHRINKS if shrink <= room), 1)
        pixels, defect = image.decode(shrink)
    if defect == jpeg.DAMAGED:
        raise UnreadableImageError(defect)
    return _upright_pixels(pixels.convert("RGB"), image.orientation, short_side, size)


def _is_in_srgb(profile: bytes) -> bool:
    return not profile or (profile_channels(profile) in (1, 3) and is_srgb(profile))


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    transparent = image.convert("RGBA")
    white = Image.new("RGBA", transparent.size, "white")
    return Image.alpha_composite(white, transparent).convert("RGB")


def _upright_pixels(
    image: Image.Image,
    orientation: int,
    short_side: int | None,
    stored_size: tuple[int, int] | None = None,
) -> np.ndarray:
    """The pixels of an RGB image, upright and shrunk to the ratio of `stored_size`."""
    upright = image if orientation == 1 else image.transpose(_UPRIGHT[orientation])
    return np.asarray(shrink_image(upright, short_side, stored_size or image.size))


def _read_photo(path: str | os.PathLike, short_side: int | None) -> np.ndarray:
    """Reads the first page of a photograph."""
    page = PhotoFile(path).pages[0]
    with _turn_of(page.width, page.height):
        return _read_page(page, short_side)


def _read_page(page: PhotoPage, short_side: int | None) -> np.ndarray:
    height, width = page.height, page.width
    if page.alpha is not None and (short_side is None or height * width <= _LARGE):
        return shrink_rgb(np.concatenate(list(_strips_on_white(page, page.alpha))), short_side)
    if short_side is not None and min(height, width) > short_side:
        scale = short_side / min(height, width)
        height, width = (max(short_side, round(side * scale)) for side in (height, width))
    if page.alpha is not None:
        return _shrunk_by_strips(page, page.alpha, height, width)
    pixels = to_depth(page.shrunk(height, width), 8)
    if jpeg.DAMAGED in page.notes:
        raise UnreadableImageError(jpeg.DAMAGED)
    return np.ascontiguousarray(np.broadcast_to(pixels, (height, width, 3)))


def _shrunk_by_strips(page: PhotoPage, alpha: int, height: int, width: int) -> np.ndarray:
    """Shrinks a large page on white, with less memory than all of its pixels need."""
    factor = max(1, page.width // (2 * width))
    # Many small arrays would keep the memory of the strips between them from being reused.
    narrow = np.empty((page.height, -(-page.width // factor), 3), "uint8")
    top = 0
    for strip in _strips_on_white(page, alpha):
        narrow[top : top + len(strip)] = Image.fromarray(strip).reduce((factor, 1))
        top += len(strip)
    box = (0.0, 0.0, page.width / factor, float(page.height))
    resized = Image.fromarray(narrow).resize((width, height), Image.Resampling.BICUBIC, box)
    return np.asarray(resized)


@contextlib.contextmanager
def _turn_of(width: int, height: int) -> Iterator[None]:
    """Waits until no other large image is being read, if this one is large."""
    with _alone if width * height > _LARGE else contextlib.nullcontext():
        yield


def _strips_on_white(page: PhotoPage, alpha: int) -> Iterator[np.ndarray]:
    for colors, extras in page.strips():
        assert extras is not None
        rgb = np.broadcast_to(to_depth(colors, 8), (*colors.shape[:2], 3))
        yield on_white(rgb, to_depth(extras[..., alpha, None], 8))
