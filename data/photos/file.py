"""Photographs in files; a TIFF may contain several as pages."""

import os
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
from data.photos.metadata import (
    PNG_SIGNATURE,
    read_metadata,
    read_png_metadata,
    read_tiff_metadata,
)
from data.photos.page import PhotoPage

# Formats that libvips reads, besides TIFF and PNG; Pillow and its plugins decode the others.
_VIPS_FORMATS = ("JPEG", "MPO", "WEBP", "GIF")

# The Pillow modes that are used as they are; others are converted.
_PILLOW_MODES = ("L", "RGB", "RGBA")

_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PhotoFile:
    """A photograph in a file, with its metadata.

    Only the head of the file is read; pixels are read when a page is asked for them.

    Args:
        path: the file.

    Attributes:
        path: `Path`, the file.
        format: str, Pillow's name of the format, such as JPEG or TIFF.
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
        self.path = Path(path)
        try:
            check_is_file(self.path)
            with open(self.path, "rb") as file:
                head = file.read(8)
            if head[:4] in _TIFF_HEADS:
                self.format, self.pages = "TIFF", self._tiff_pages()
            elif head == PNG_SIGNATURE:
                # Not read with Pillow, which refuses a PNG that contains a damaged or long text.
                self.format = "PNG"
                self.pages = [PhotoPage(self._opener(), read_png_metadata(self.path))]
            else:
                self.pages = [self._page()]
        # The readers raise many kinds of exceptions for broken files.
        except Exception as error:
            raise UnreadableImageError(first_reason(error, self.path)) from error
        self.notes = list(dict.fromkeys(note for page in self.pages for note in page.notes))
        images = self.pages[0].metadata.images
        if images > 1:
            self.notes.append(f"only the first of the {images} images in it is colored")

    def _tiff_pages(self) -> list[PhotoPage]:
        try:
            directories = read_tiff_metadata(self.path)
        except ValueError as error:
            raise ValueError(f"damaged: {error}") from error
        if not directories:
            raise ValueError("damaged: it contains no page")
        pages = list(enumerate(directories))
        # Thumbnails, the levels of pyramids and masks are pages too, but not photographs.
        photographs = [
            (number, metadata) for number, metadata in pages if not metadata.is_auxiliary
        ]
        return [
            PhotoPage(self._opener(not metadata.is_odd, page=number), metadata)
            for number, metadata in photographs or pages
        ]

    def _page(self) -> PhotoPage:
        with open_with_pillow(self.path) as image:
            self.format = image.format
            metadata = read_metadata(self.path, image)
            if self.format in _VIPS_FORMATS:
                return PhotoPage(self._opener(), metadata)
            head = self._heif_head() if self.format == "HEIF" else _pillow_head(image)
        decode = self._decode_heif if self.format == "HEIF" else self._decode

        def open_image(shrink: int) -> pyvips.Image:
            # Decoders raise many kinds of exceptions for broken files.
            try:
                return _as_image(decode())
            except Exception as error:
                raise UnreadableImageError(first_reason(error, self.path)) from error

        return PhotoPage(open_image, metadata, head)

    def _opener(self, is_strict: bool = True, **options):
        # libtiff reports an invalid orientation as an error, but the page can be read.
        fail_on = "error" if is_strict else "truncated"

        def open_image(shrink: int) -> pyvips.Image:
            shrinking = {"shrink": shrink} if shrink > 1 else {}
            # By descriptor: libvips accepts only names in UTF-8, and parses brackets as options.
            with open(self.path, "rb") as file:
                source = pyvips.Source.new_from_descriptor(file.fileno())
            image = pyvips.Image.new_from_source(
                source, "", access="sequential", fail_on=fail_on, **shrinking, **options
            )
            _check_size(image.height, image.width)
            return image

        return open_image

    def _decode(self) -> np.ndarray:
        with open_with_pillow(self.path) as image:
            if image.mode not in _PILLOW_MODES:
                image = image.convert(_plain_mode(image))
            return np.asarray(image)

    def _decode_heif(self) -> np.ndarray:
        return np.asarray(self._open_heif())

    def _heif_head(self) -> pyvips.Image:
        heif = self._open_heif()
        mode, _, depth = heif.mode.partition(";")
        return _head(*heif.size, len(mode.replace("I", "L")), is_deep=depth == "16")

    def _open_heif(self):
        import pillow_heif

        # Pillow's plugin would reduce the image to 8 bits.
        return pillow_heif.open_heif(self.path, convert_hdr_to_8bit=False)


def _pillow_head(image: Image.Image) -> pyvips.Image:
    return _head(*image.size, len(_plain_mode(image)), is_deep=False)


def _plain_mode(image: Image.Image) -> str:
    if image.mode in _PILLOW_MODES:
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def _head(width: int, height: int, channels: int, is_deep: bool) -> pyvips.Image:
    """A black image; nothing is computed until its pixels are requested."""
    _check_size(height, width)
    image = pyvips.Image.black(width, height, bands=channels)
    return _with_interpretation(image.cast("ushort") if is_deep else image)


def _as_image(pixels: np.ndarray) -> pyvips.Image:
    return _with_interpretation(pyvips.Image.new_from_array(pixels))


def _with_interpretation(image: pyvips.Image) -> pyvips.Image:
    """Sets the interpretation of an image, which libvips guesses wrong."""
    is_deep = image.format == "ushort"
    if image.bands < 3:
        return image.copy(interpretation="grey16" if is_deep else "b-w")
    return image.copy(interpretation="rgb16" if is_deep else "srgb")


def _check_size(height: int, width: int) -> None:
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f"{width} x {height} pixels, {TOO_LARGE}")
