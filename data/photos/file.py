"""Photographs in files; a TIFF may contain several as pages."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyvips
from PIL import Image

from data.image_io import (
    MAXIMUM_PIXELS,
    TOO_LARGE,
    UnreadableImageError,
    check_is_file,
    first_reason,
    open_with_pillow,
)
from data.photos.metadata import read_metadata
from data.photos.page import PhotoPage, interpreted
from data.photos.png import SIGNATURE, read_png_metadata
from data.photos.tiff import read_tiff_metadata

# Formats that libvips reads, besides TIFF and PNG; Pillow and its plugins decode the others.
_VIPS_FORMATS = ("JPEG", "MPO", "WEBP", "GIF")

_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PhotoFile:
    """A photograph in a file, with its metadata.

    Only the head of the file is read; pixels are read when a page is asked for them.

    Args:
        path: the file.

    Attributes:
        pages: list of `PhotoPage`; only a TIFF has more than one. Only the first frame of an
            animation is used.
        notes: list of str, the problems of the file that do not prevent coloring it.

    Raises:
        UnreadableImageError: the file is not a photograph, its head is broken, or it is too large.

    Example:
        photo = PhotoFile("gray.jpg")
        height, width = photo.pages[0].height, photo.pages[0].width
    """

    def __init__(self, path: str | os.PathLike):
        # The readers raise many kinds of exceptions for broken files.
        try:
            self.pages = _pages_in(Path(path))
        except Exception as error:
            raise UnreadableImageError(first_reason(error, path)) from error
        self.notes = list(dict.fromkeys(note for page in self.pages for note in page.notes))
        images = self.pages[0].metadata.images
        if images > 1:
            self.notes.append(f"only the first of the {images} images in it is colored")


def _pages_in(path: Path) -> list[PhotoPage]:
    check_is_file(path)
    with open(path, "rb") as file:
        head = file.read(8)
    if head[:4] in _TIFF_HEADS:
        try:
            photographs = read_tiff_metadata(path)
        except ValueError as error:
            raise ValueError(f"damaged: {error}") from error
        return [
            # libtiff reports an invalid orientation as an error, but the page can be read.
            PhotoPage(
                _opener(path, "truncated" if metadata.is_odd else "error", page=number), metadata
            )
            for number, metadata in photographs.items()
        ]
    if head == SIGNATURE:
        return [PhotoPage(_opener(path), read_png_metadata(path))]
    with open_with_pillow(path) as image:
        metadata = read_metadata(path, image)
        if image.format in _VIPS_FORMATS:
            return [PhotoPage(_opener(path), metadata)]
        if image.format == "HEIF":
            heif = _open_heif(path)
            mode, _, depth = heif.mode.partition(";")
            head = _head(heif.size, len(mode.replace("I", "L")), is_deep=depth == "16")
            return [PhotoPage(_decoder(path, _open_heif), metadata, head)]
        head = _head(image.size, len(_plain_mode(image)))
        return [PhotoPage(_decoder(path, _decode_with_pillow), metadata, head)]


def _opener(path: Path, fail_on: str = "error", **options: int) -> Callable[[int], pyvips.Image]:
    """A function that opens a photograph with libvips, as `PhotoPage` needs it."""

    def open_image(shrink: int) -> pyvips.Image:
        shrinking = {"shrink": shrink} if shrink > 1 else {}
        # By descriptor: libvips accepts only names in UTF-8, and parses brackets as options.
        with open(path, "rb") as file:
            source = pyvips.Source.new_from_descriptor(file.fileno())
        image = pyvips.Image.new_from_source(
            source, "", access="sequential", fail_on=fail_on, **shrinking, **options
        )
        _check_size(image.width, image.height)
        return image

    return open_image


def _decoder(path: Path, decode: Callable) -> Callable[[int], pyvips.Image]:
    """A function that decodes a photograph as a whole, as `PhotoPage` needs it."""

    def open_image(shrink: int) -> pyvips.Image:
        # Decoders raise many kinds of exceptions for broken files.
        try:
            return interpreted(pyvips.Image.new_from_array(np.asarray(decode(path))))
        except Exception as error:
            raise UnreadableImageError(first_reason(error, path)) from error

    return open_image


def _decode_with_pillow(path: Path) -> np.ndarray:
    with open_with_pillow(path) as image:
        mode = _plain_mode(image)
        return np.asarray(image if image.mode == mode else image.convert(mode))


def _open_heif(path: Path):
    import pillow_heif

    # Pillow's plugin would reduce the image to 8 bits.
    return pillow_heif.open_heif(path, convert_hdr_to_8bit=False)


def _plain_mode(image: Image.Image) -> str:
    """The Pillow mode of gray or RGB that holds an image."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def _head(size: tuple[int, int], channels: int, is_deep: bool = False) -> pyvips.Image:
    """A black image; nothing is computed until its pixels are requested."""
    _check_size(*size)
    image = pyvips.Image.black(*size, bands=channels)
    return interpreted(image.cast("ushort") if is_deep else image)


def _check_size(width: int, height: int) -> None:
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f"{width} x {height} pixels, {TOO_LARGE}")
