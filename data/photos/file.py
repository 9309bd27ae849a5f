"""A file with a photograph, or with several as pages of a TIFF."""

import os
from pathlib import Path

import numpy as np
import pyvips

from data.photos.metadata import read_metadata, read_tiff_metadata
from data.photos.page import PhotoPage
from data.pictures import (
    MAXIMUM_PIXELS,
    TOO_LARGE,
    UnreadablePictureError,
    check_is_file,
    first_reason,
    open_picture,
)

# What libvips reads; the others are decoded by Pillow and its plugins.
_VIPS_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF")

_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PhotoFile:
    """A photograph as a person has it.

    Only its head is read; pixels are read when a page is asked for them.

    Args:
        path: the file.

    Attributes:
        path: `Path`.
        format: str, Pillow's name of the format, as JPEG or TIFF.
        pages: list of `PhotoPage`, one but for TIFF. Of an animation the first frame is taken.
        notes: list of str, what is wrong with the file and could be helped.

    Raises:
        UnreadablePictureError: it is no photograph, is broken at its head, or too large.

    Example:
        photo = PhotoFile("grandmother.tif")
        height, width = photo.pages[0].height, photo.pages[0].width
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        try:
            check_is_file(self.path)
            with open(self.path, "rb") as file:
                head = file.read(4)
            self.pages = self._tiff_pages() if head in _TIFF_HEADS else [self._page()]
        # A file can be broken in more ways than its readers have kinds of errors.
        except Exception as error:
            raise UnreadablePictureError(first_reason(error, self.path)) from error
        self.notes = list(dict.fromkeys(note for page in self.pages for note in page.notes))

    def _tiff_pages(self) -> list[PhotoPage]:
        self.format = "TIFF"
        try:
            directories = read_tiff_metadata(self.path)
        except ValueError as error:
            raise ValueError(f"damaged: {error}") from error
        if not directories:
            raise ValueError("damaged: it holds no page")
        pages = list(enumerate(directories))
        # Thumbnails and the steps of pyramids are pages too, but no photographs.
        whole = [(number, metadata) for number, metadata in pages if not metadata.reduced]
        return [
            PhotoPage(self._opener(not metadata.is_odd, page=number), metadata)
            for number, metadata in whole or pages
        ]

    def _page(self) -> PhotoPage:
        with open_picture(self.path) as picture:
            self.format = picture.format
            metadata = read_metadata(self.path, picture)
        if self.format in _VIPS_FORMATS:
            return PhotoPage(self._opener(), metadata)
        return PhotoPage(self._pillow_opener(), metadata)

    def _opener(self, is_strict: bool = True, **options):
        # An impossible orientation is an error to libtiff, and no reason to give a page up.
        fail_on = "error" if is_strict else "truncated"

        def open_image(shrink: int) -> pyvips.Image:
            shrinking = {"shrink": shrink} if shrink > 1 else {}
            # By descriptor, as libvips takes only names in UTF-8, and brackets for options.
            with open(self.path, "rb") as file:
                source = pyvips.Source.new_from_descriptor(file.fileno())
            image = pyvips.Image.new_from_source(
                source, "", access="sequential", fail_on=fail_on, **shrinking, **options
            )
            _check_size(image.height, image.width)
            return image

        return open_image

    def _pillow_opener(self):
        pixels = self._pillow_pixels()
        # For its head and for the network; later it is decoded again, and not kept until then.
        decoded = [pixels, pixels]

        def open_image(shrink: int) -> pyvips.Image:
            return _as_image(decoded.pop() if decoded else self._pillow_pixels())

        return open_image

    def _pillow_pixels(self) -> np.ndarray:
        return self._decode_deep_heif() if self.format == "HEIF" else self._decode()

    def _decode(self) -> np.ndarray:
        with open_picture(self.path) as picture:
            _check_size(picture.height, picture.width)
            if picture.mode not in ("L", "RGB", "RGBA"):
                picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
            return np.asarray(picture)

    def _decode_deep_heif(self) -> np.ndarray:
        import pillow_heif

        return np.asarray(pillow_heif.open_heif(self.path, convert_hdr_to_8bit=False))


def _as_image(pixels: np.ndarray) -> pyvips.Image:
    is_gray, is_deep = pixels.ndim == 2, pixels.dtype == np.uint16
    interpretation = {
        (True, False): "b-w",
        (True, True): "grey16",
        (False, False): "srgb",
        (False, True): "rgb16",
    }[is_gray, is_deep]
    return pyvips.Image.new_from_array(pixels).copy(interpretation=interpretation)


def _check_size(height: int, width: int) -> None:
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f"{width} x {height} pixels are {TOO_LARGE}")
