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
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from data.atomic import write_beside
from data.image_signatures import HEAD, suffix_by_contents
from errors import first_line, shown

try:
    import pillow_heif
except ImportError:
    pillow_heif = None
else:
    pillow_heif.register_heif_opener()

# The suffixes by which images in a folder are found.
IMAGE_SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
    *(".heic", ".heif", ".hif", ".avif", ".jp2", ".j2k", ".jpf", ".jpx", ".mpo", ".apng"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".sgi", ".rgb", ".bw", ".tga", ".pcx", ".dib"),
)

# Folders of network drives, operating systems and photo programs that hold thumbnails, deleted
# files and lost ones, in lower case.
_PASSED_OVER_FOLDERS = {
    *("@eadir", "#recycle", "@recycle", "#snapshot", "@recently-snapshot", "@tmp"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "__macosx"),
    *("ipod photo cache", "network trash folder", "temporary items", "data.noindex"),
}
# Libraries of Apple's programs, and their folders in which the photographs themselves are.
_APPLE_LIBRARIES = (".photoslibrary", ".photolibrary", ".migratedphotolibrary", ".aplibrary")
_APPLE_ORIGINALS = {"originals", "masters"}
_PASSED_OVER_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}

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
    check_is_file(path)
    # Given a path, Pillow memory-maps some TIFF files and garbles them when it rotates them.
    with open(path, "rb") as file, _open(file) as image:
        yield image


def _open(file: BinaryIO) -> Image.Image:
    if pillow_heif is None:
        # Telephones and web sites give JPEGs names that end in .heic, and the other way round.
        suffix = suffix_by_contents(file.read(HEAD))
        file.seek(0)
        if suffix == ".heic":
            raise ValueError(
                "HEIC files need pillow-heif; install it with: pip install pillow-heif"
            )
    return Image.open(file)


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
    folder: str | os.PathLike,
    on_error: Callable[[OSError], None] | None = None,
    on_other: Callable[[str], None] | None = None,
) -> list[str]:
    """Lists all image files in a folder and its subfolders, sorted component by component.

    Images are known by their suffixes; of a file without one, the first bytes are read. Symbolic
    links to folders are followed, each folder once. Hidden files are skipped (the `._x.jpg` that
    macOS leaves on shared disks are not images), and so are folders in which other programs keep
    thumbnails or deleted files, such as `@eaDir`.

    Args:
        folder: the folder.
        on_error: function that is called with the `OSError` of each subfolder that cannot be
            listed. Defaults to `None`: such subfolders are ignored.
        on_other: function that is called with the path of each file that is not an image, relative
            to the folder. Defaults to `None`: such files are ignored.

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
        is_library = real.lower().endswith(_APPLE_LIBRARIES)
        folders[:] = sorted(name for name in folders if _is_searched(name, is_library))
        below = os.path.relpath(parent, folder)
        for name in files:
            if name.startswith("."):
                continue
            path = name if below == os.curdir else os.path.join(below, name)
            if name.lower().endswith(IMAGE_SUFFIXES) or (
                "." not in name and suffix_of_file(os.path.join(parent, name)) is not None
            ):
                images.append(path)
            elif on_other and name.lower() not in _PASSED_OVER_FILES:
                on_other(path)
    images.sort(key=part_by_part)
    return images


def _is_searched(folder: str, is_in_apple_library: bool) -> bool:
    name = folder.lower()
    if is_in_apple_library:
        return name in _APPLE_ORIGINALS
    return not name.startswith(".") and name not in _PASSED_OVER_FOLDERS


def suffix_of_file(path: str | os.PathLike) -> str | None:
    """The usual suffix for the contents of a file, or None if it is not an image or unreadable."""
    # Opening a pipe would wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            return suffix_by_contents(os.read(descriptor, HEAD))
        finally:
            os.close(descriptor)
    except OSError:
        return None


def describe_passed_over(suffixes: Counter[str]) -> str:
    """How many files that are not images a folder has, in one line.

    Args:
        suffixes: `Counter` of the suffixes of these files.

    Example:
        describe_passed_over(Counter([".txt", ".mov", ".txt"]))
        # "3 other files were passed over: 2 .txt, 1 .mov"
    """
    files = (
        "1 other file was" if suffixes.total() == 1 else f"{suffixes.total():,} other files were"
    )
    ordered = sorted(suffixes.items(), key=lambda item: (-item[1], not item[0], item[0]))
    counts = ", ".join(
        f"{count:,} {shown(suffix) or 'without a suffix'}" for suffix, count in ordered
    )
    return f"{files} passed over: {counts}"


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
