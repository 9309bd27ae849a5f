"""Opens, shrinks, writes and lists images with Pillow; `data.photos` reads their pixels.

Example:
    write_rgb("gray.png", np.full((48, 64, 3), 128, "uint8"))
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
from PIL import Image

from data.atomic import write_beside
from errors import first_line

try:
    import pillow_heif
except ImportError:
    pillow_heif = None
else:
    pillow_heif.register_heif_opener()

_HEIF_SUFFIXES = (".heic", ".heif")
# The suffixes by which images in a folder are found.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
    *_HEIF_SUFFIXES,
)

# To be raised whenever `data.photos.read_rgb` reads an image as other pixels than before: what was
# made from pixels, such as caches, carries it and is made anew.
READER_VERSION = 2

# Larger files are treated as decompression bombs. A scan of 60 x 90 cm at 600 dpi has 300 million.
MAXIMUM_PIXELS = 500_000_000
TOO_LARGE = f"more than {MAXIMUM_PIXELS // 10**6} megapixels: the file is damaged or too large"
# Pillow raises an error only above twice its limit.
Image.MAX_IMAGE_PIXELS = MAXIMUM_PIXELS // 2

# Pillow warns of broken EXIF tags and of large images, but reads both, so the warnings are of no
# use. An image above the limit is still an error.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


# Pillow's message for a truncated WebP file.
_CLEARER_REASONS = {"could not create decoder object": "damaged: the end is missing"}


class UnreadableImageError(Exception):
    """An image that cannot be decoded; the message is the reason without the file name."""


def shrink_rgb(pixels: np.ndarray, short_side: int | None = None) -> np.ndarray:
    """Shrinks a decoded image, as training images are.

    Args:
        pixels: uint8 array of shape (height, width, 3).
        short_side: int or None, the length of the shorter side of the result; a smaller image
            is not enlarged. Defaults to `None`.

    Returns:
        uint8 array of shape (height, width, 3).
    """
    return np.asarray(shrink_image(Image.fromarray(pixels), short_side, pixels.shape[:2]))


def write_rgb(path: str | os.PathLike, pixels: np.ndarray, quality: int = 95) -> None:
    """Writes an image in the format of its suffix, completely or not at all.

    Args:
        path: the file, with the suffix of a format that Pillow can write.
        pixels: uint8 array of shape (height, width, 3).
        quality: int, the quality in lossy formats. The chroma of JPEG is not subsampled, because
            color is what this program adds. Defaults to `95`.
    """
    kind = Image.registered_extensions()[Path(path).suffix.lower()]
    options = {"subsampling": 0} if kind == "JPEG" else {}
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, kind, quality=quality, **options)
    with write_beside(path) as temporary:
        # Pillow does not write the file itself, because its encoders ignore disk errors.
        temporary.write_bytes(encoded.getbuffer())


def is_heif_supported() -> bool:
    """Whether pillow-heif is installed."""
    return pillow_heif is not None


@contextlib.contextmanager
def open_with_pillow(path: str | os.PathLike) -> Iterator[Image.Image]:
    """Opens an image with Pillow and its plugins, without decoding the pixels."""
    if pillow_heif is None and str(path).lower().endswith(_HEIF_SUFFIXES):
        raise ValueError("HEIC files need pillow-heif; install it with: pip install pillow-heif")
    check_is_file(path)
    # Given a path, Pillow memory-maps some TIFF files and garbles them when it rotates them.
    with open(path, "rb") as file, Image.open(file) as image:
        yield image


def check_is_file(path: str | os.PathLike) -> None:
    """Checks that a path is a regular, nonempty file; reading from a pipe would block forever.

    Raises:
        OSError: the path does not exist, is a folder, or cannot be accessed.
        ValueError: the path is a pipe or a device, or the file is empty.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if not status.st_size:
        raise ValueError("the file is empty")


def list_image_paths(
    folder: str | os.PathLike, on_error: Callable[[OSError], None] | None = None
) -> list[str]:
    """Lists all image files in a folder and its subfolders, sorted component by component.

    Symbolic links to folders are followed, each folder once. Hidden files are skipped (the
    `._x.jpg` that macOS leaves on shared disks are not images).

    Args:
        folder: the folder.
        on_error: function that is called with the `OSError` of each subfolder that cannot be
            listed. Defaults to `None`: such subfolders are ignored.

    Returns:
        List of str, the paths relative to the folder: for a million images, making a `Path` of each
        takes longer than finding them.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    os.listdir(folder)
    images, seen = [], set()
    for parent, folders, files in os.walk(os.fspath(folder), onerror=on_error, followlinks=True):
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
    """The key that sorts strings component by component, as `Path` sorts, with less memory."""
    # A null character sorts before all others.
    return path.replace(os.sep, "\0")


def shrink_image(image: Image.Image, short_side: int | None, sides: Sequence[int]) -> Image.Image:
    """Shrinks an image to the aspect ratio of `sides`; a smaller image is returned unchanged."""
    width, height = image.size
    if short_side is None or min(width, height) <= short_side:
        return image
    long_side = round(max(sides) * short_side / min(sides))
    size = (long_side, short_side) if width >= height else (short_side, long_side)
    return image.resize(size, Image.Resampling.BICUBIC)


def first_reason(error: Exception, path: str | os.PathLike | None = None) -> str:
    """Why an image could not be read, in one line without the file name.

    Args:
        error: the exception that was raised.
        path: the file, which the message calls "the file". Defaults to `None`: the image is not a
            file.
    """
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
    return _CLEARER_REASONS.get(reason, reason)
