"""Training images in, sample images out, and where images lie in a folder.

    pixels = read_rgb("grandmother.jpg")            # (height, width, 3) uint8, upright
    write_rgb("grandmother.png", pixels)            # whole or not at all

What a training image holds (gray, palette, transparency, CMYK, 16 bits, an orientation tag) is
settled here and nowhere else. The reader is Pillow: `tf.io` ignores the orientation, miscolors
palettes and ends the whole input when one file is broken, and libvips, which `data.photos` reads a
person's photographs with, takes half as long again for a small JPEG.
"""

import contextlib
import errno
import io
import os
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from data.atomic import write_beside
from errors import first_line

try:
    import pillow_heif
except ImportError:
    pillow_heif = None
else:
    pillow_heif.register_heif_opener()

# What a folder of images may hold.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
    *(".heic", ".heif"),
)
_JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
_HEIF_SUFFIXES = (".heic", ".heif")

# More is a decompression bomb: a scan of 60 x 90 cm at 600 dpi has 300 million.
MAXIMUM_PIXELS = 500_000_000
TOO_LARGE = (
    f"more than {MAXIMUM_PIXELS // 10**6} megapixels: a damaged file, or one for another program"
)
# Pillow refuses what has twice as many as it is told.
Image.MAX_IMAGE_PIXELS = MAXIMUM_PIXELS // 2

# Pillow's modes for more than eight bits of gray.
_DEEP_GRAY_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I")


# Pillow warns of broken EXIF tags and of large images, which is no news to a person whose
# image was read; what is too large for it, it refuses.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


# What Pillow says of a WebP that is cut off.
_IN_WORDS = {"could not create decoder object": "damaged: the end is missing"}


class UnreadableImageError(Exception):
    """A file that cannot be decoded; the message is the reason, without the file's name."""


def read_rgb(path: str | os.PathLike, short_side: int | None = None) -> np.ndarray:
    """Reads an image of any common kind as upright sRGB of 8 bits.

    Args:
        path: the file. Of an animation the first frame is read.
        short_side: int or None. When given, a larger image is shrunk until its shorter side has
            this many pixels; JPEG files are shrunk while they are decoded, which is several times
            faster. A smaller image is left as it is.

    Returns:
        uint8 array of shape (height, width, 3). Transparent parts are laid on white.

    Raises:
        UnreadableImageError: the file is absent, broken, or not an image.
    """
    try:
        with open_with_pillow(path) as image:
            return _upright_rgb(image, short_side)
    # Pillow's plugins raise whatever their formats make of a broken file.
    except Exception as error:
        raise UnreadableImageError(first_reason(error, path)) from error


def decode_rgb(encoded: bytes, short_side: int | None = None) -> np.ndarray:
    """Decodes an image that is no file of its own, as `read_rgb` does.

    Raises:
        UnreadableImageError: it is broken, or not an image.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            return _upright_rgb(image, short_side)
    except Exception as error:
        raise UnreadableImageError(first_reason(error)) from error


def shrink_rgb(pixels: np.ndarray, short_side: int | None = None) -> np.ndarray:
    """Shrinks an image in memory, as `read_rgb` does.

    Args:
        pixels: uint8 array of shape (height, width, 3).
        short_side: int or None; a smaller image is left as it is.

    Returns:
        uint8 array of shape (height, width, 3).
    """
    return np.asarray(_shrink(Image.fromarray(pixels), short_side, pixels.shape[:2]))


def write_rgb(path: str | os.PathLike, pixels: np.ndarray, quality: int = 95) -> None:
    """Writes an image in the format of its suffix, whole or not at all.

    Args:
        path: the file, with the suffix of a format that Pillow writes.
        pixels: uint8 array of shape (height, width, 3).
        quality: int, of formats with loss. The chroma of JPEG is not subsampled: color is what we
            add.
    """
    options = {"quality": quality, "subsampling": 0} if is_jpeg(path) else {"quality": quality}
    encoded = io.BytesIO()
    kind = Image.registered_extensions()[Path(path).suffix.lower()]
    Image.fromarray(pixels).save(encoded, kind, **options)
    with write_beside(path) as temporary:
        # Not by Pillow, whose encoders overlook what a disk refuses.
        temporary.write_bytes(encoded.getbuffer())


def is_jpeg(path: str | os.PathLike) -> bool:
    """Whether a file name is that of a JPEG."""
    return str(path).lower().endswith(_JPEG_SUFFIXES)


def is_heif_supported() -> bool:
    """Whether pillow-heif is installed."""
    return pillow_heif is not None


@contextlib.contextmanager
def open_with_pillow(path: str | os.PathLike) -> Iterator[Image.Image]:
    """Opens an image with Pillow and its plugins; its pixels are not decoded yet."""
    if pillow_heif is None and str(path).lower().endswith(_HEIF_SUFFIXES):
        raise ValueError("HEIC is read with the help of pillow-heif: pip install pillow-heif")
    check_is_file(path)
    # Not by name: then Pillow maps some TIFFs into memory, and garbles them when it turns them.
    with open(path, "rb") as file, Image.open(file) as image:
        yield image


def check_is_file(path: str | os.PathLike) -> None:
    """Refuses what is no file with contents: reading a pipe would wait for ever.

    Raises:
        OSError: there is nothing, it is a folder, or it cannot be looked at.
        ValueError: it is a pipe or a device, or empty.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if not status.st_size:
        raise ValueError("the file is empty")


def list_images(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> list[Path]:
    """All image files below a folder, sorted by path.

    Args:
        folder: where to look.
        on_error: called with the error of each subfolder that cannot be listed.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    return [Path(folder, path) for path in list_image_paths(folder, on_error)]


def list_image_paths(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> list[str]:
    """The paths below a folder of all image files in it, sorted part by part.

    Links to folders are followed, each folder once; hidden files are passed over (the `._x.jpg`
    that macOS leaves on shared disks are no images).

    Args and errors are those of `list_images`, which makes a `Path` of each: for a million of
    them that takes longer than finding them.
    """
    os.listdir(folder)
    images = []
    seen = set()
    for parent, folders, files in os.walk(folder, onerror=on_error, followlinks=True):
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = os.path.relpath(parent, folder)
        images += [
            name if below == os.curdir else os.path.join(below, name)
            for name in files
            if not name.startswith(".") and name.lower().endswith(IMAGE_SUFFIXES)
        ]
    images.sort(key=part_by_part)
    return images


def part_by_part(path: str) -> str:
    """The key that sorts paths part by part, as `Path` is sorted, in little memory."""
    # It comes before all other characters.
    return path.replace(os.sep, "\0")


def _upright_rgb(image: Image.Image, short_side: int | None) -> np.ndarray:
    sides = image.size
    if short_side is not None:
        _shrink_while_decoding(image, short_side)
    rgb = _to_rgb(ImageOps.exif_transpose(image))
    # The shape of the file and not of what the decoder has shrunk and rounded.
    return np.asarray(_shrink(rgb, short_side, sides))


def _shrink_while_decoding(image: Image.Image, short_side: int) -> None:
    """Asks the JPEG decoder for the smallest of 1/1, 1/2, 1/4, 1/8 that is still large enough."""
    scale = short_side / min(image.size)
    if scale < 1:
        # `draft` never goes below the size it is asked for; other formats ignore it. It must not
        # be asked for a mode: CMYK files would lose their conversion.
        image.draft(None, tuple(int(np.ceil(side * scale)) for side in image.size))


def _shrink(image: Image.Image, short_side: int | None, sides: Sequence[int]) -> Image.Image:
    """Shrinks an image to the proportions of these sides; a smaller one stays as it is."""
    width, height = image.size
    if short_side is None or min(width, height) <= short_side:
        return image
    long_side = round(max(sides) * short_side / min(sides))
    size = (long_side, short_side) if width >= height else (short_side, long_side)
    return image.resize(size, Image.Resampling.BICUBIC)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _DEEP_GRAY_MODES:
        # Pillow clips these to 255 instead of scaling them.
        gray = np.asarray(image).astype("float64") / 257.0
        return Image.fromarray(np.clip(gray + 0.5, 0, 255).astype("uint8")).convert("RGB")
    if image.has_transparency_data:
        transparent = image.convert("RGBA")
        white = Image.new("RGBA", transparent.size, "white")
        return Image.alpha_composite(white, transparent).convert("RGB")
    return image.convert("RGB")


def first_reason(error: Exception, path: str | os.PathLike | None = None) -> str:
    """Why a file, or an image that is none, could not be read: one line without its name."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image, or of an unknown format"
    if isinstance(error, Image.DecompressionBombError):
        return TOO_LARGE
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    reason = first_line(error)
    if path is not None:
        reason = reason.replace(str(path), "the file")
    return _IN_WORDS.get(reason, reason)
