"""Photographs in files; a TIFF may contain several as pages."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyvips

from data.image_io import (
    MAXIMUM_PIXELS,
    TOO_LARGE,
    UnreadableImageError,
    check_is_file,
    first_reason,
    open_with_pillow,
)
from data.photos.jpeg import END, JpegImage
from data.photos.metadata import PhotoMetadata, read_metadata
from data.photos.netpbm import NetpbmImage, is_netpbm
from data.photos.page import PhotoPage, interpreted
from data.photos.pillow_decoder import PillowDecoder
from data.photos.png import SIGNATURE, read_png_metadata
from data.photos.raw_files import RAW, is_raw_file
from data.photos.tiff_images import LAB, BrokenTiffError, TiffImage, find_photographs
from data.photos.tiff_samples import check_readable, depth, is_plain, read_samples

# Formats that libvips reads, besides TIFF, PNG and JPEG; others are decoded as a whole.
_VIPS_FORMATS = ("WEBP", "GIF")

_INTERPRETATIONS = {1: "b-w", 3: "srgb", 4: "cmyk"}

_HEAD = 32
_TIFF_HEADS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class PhotoFile:
    """A photograph in a file, with its metadata.

    Only the head of the file is read; pixels are read when a page is asked for them.

    Args:
        path: the file.

    Attributes:
        pages: list of `PhotoPage`; only a TIFF has more than one. Only the first frame of an
            animation is used.

    Raises:
        UnreadableImageError: the file is not a photograph, its head is broken, or it is too large.

    Example:
        photo = PhotoFile("gray.jpg")
        height, width = photo.pages[0].height, photo.pages[0].width
    """

    def __init__(self, path: str | os.PathLike):
        # The readers raise many kinds of exceptions for broken files.
        try:
            self.pages, self._notes = _pages_in(Path(path))
        except Exception as error:
            raise UnreadableImageError(first_reason(error, path)) from error
        images = self.pages[0].metadata.images
        if images > 1:
            self._notes.append(f"only the first of the {images} images in it is colored")

    @property
    def notes(self) -> list[str]:
        """The problems of the file that do not prevent coloring it.

        Those of the pixels are known once they were read.
        """
        of_pages = (note for page in self.pages for note in page.notes)
        return list(dict.fromkeys([*of_pages, *self._notes]))


def _pages_in(path: Path) -> tuple[list[PhotoPage], list[str]]:
    """The pages of a file, and notes about what it contains beside them."""
    check_is_file(path)
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if is_raw_file(head):
        raise ValueError(RAW)
    if head[:4] in _TIFF_HEADS:
        try:
            photographs, notes = find_photographs(path)
        except BrokenTiffError as error:
            raise ValueError(f"damaged: {error}") from error
        return [_tiff_page(path, *photograph) for photograph in photographs], notes
    if head.startswith(SIGNATURE):
        return [PhotoPage(_opener(path), read_png_metadata(path))], []
    if is_netpbm(head):
        netpbm = NetpbmImage(path)
        size, channels = (netpbm.width, netpbm.height), netpbm.channels
        return [_decoded_page(netpbm.decode, PhotoMetadata(), size, channels, netpbm.is_deep)], []
    with open_with_pillow(path) as image:
        metadata = read_metadata(path, image)
        if image.format in ("JPEG", "MPO"):
            return [PhotoPage(_jpeg_opener(path), metadata, open_shrunk=_jpeg_shrinker(path))], []
        if image.format in _VIPS_FORMATS:
            return [PhotoPage(_opener(path), metadata)], []
        if image.format == "HEIF":
            heif = _open_heif(path)
            mode, _, depth = heif.mode.partition(";")
            channels = len(mode.replace("I", "L"))

            def decode_heif() -> tuple[np.ndarray, str]:
                return np.asarray(_open_heif(path)), ""

            return [_decoded_page(decode_heif, metadata, heif.size, channels, depth == "16")], []
        pillow = PillowDecoder(path, image)
        page = _decoded_page(pillow.decode, metadata, image.size, pillow.channels, pillow.is_deep)
        return [page], [pillow.note] if pillow.note else []


def _tiff_page(path: Path, image: TiffImage, metadata: PhotoMetadata) -> PhotoPage:
    if not is_plain(image):
        check_readable(image)
        if image.photometric in LAB:
            # The pixels are converted to sRGB.
            metadata.profile = b""

        def decode() -> tuple[np.ndarray, str]:
            return read_samples(path, image)

        channels = 3 + len(image.extra_samples) if image.photometric in LAB else image.samples
        size = image.width, image.height
        return _decoded_page(decode, metadata, size, channels, depth(image) == 16, image.colors)
    # libtiff reports an invalid orientation as an error, but the page can be read.
    fail_on = "truncated" if metadata.is_odd else "error"
    options = {} if image.subifd is None else {"subifd": image.subifd}
    return PhotoPage(_opener(path, fail_on, page=image.page, **options), metadata)


def _decoded_page(
    decode: Callable[[], tuple[np.ndarray, str]],
    metadata: PhotoMetadata,
    size: tuple[int, int],
    channels: int,
    is_deep: bool,
    colors: int | None = None,
) -> PhotoPage:
    """A page that is decoded as a whole, by a function that returns its pixels and a note."""

    def interpret(image: pyvips.Image) -> pyvips.Image:
        return interpreted(image, colors)

    def open_image() -> pyvips.Image:
        # Decoders raise many kinds of exceptions for broken files.
        try:
            pixels, note = decode()
            if note and note not in page.notes:
                page.notes.append(note)
            return interpret(pyvips.Image.new_from_array(np.ascontiguousarray(pixels)))
        except pyvips.Error:
            raise
        except Exception as error:
            raise UnreadableImageError(first_reason(error, None)) from error

    _check_size(*size)
    # Black; nothing is computed until its pixels are requested.
    head = pyvips.Image.black(*size, bands=channels)
    page = PhotoPage(open_image, metadata, interpret(head.cast("ushort") if is_deep else head))
    return page


def _opener(path: Path, fail_on: str = "error", **options: int) -> Callable[[], pyvips.Image]:
    """A function that opens a photograph with libvips, as `PhotoPage` needs it."""

    def open_image() -> pyvips.Image:
        # By descriptor: libvips accepts only names in UTF-8, and parses brackets as options.
        with open(path, "rb") as file:
            source = pyvips.Source.new_from_descriptor(file.fileno())
        image = pyvips.Image.new_from_source(
            source, "", access="sequential", fail_on=fail_on, **options
        )
        _check_size(image.width, image.height)
        return image

    return open_image


def _jpeg_opener(path: Path) -> Callable[[], pyvips.Image]:
    """A function that opens a JPEG at full size, even without an end marker."""
    open_image = _opener(path)

    def open_whole() -> pyvips.Image:
        with open(path, "rb") as file:
            file.seek(-2, os.SEEK_END)
            if file.read() == END:
                return open_image()
        whole = JpegImage(path.read_bytes()).with_end()
        return pyvips.Image.new_from_buffer(whole, "", access="sequential", fail_on="error")

    return open_whole


def _jpeg_shrinker(path: Path) -> Callable[[int], tuple[pyvips.Image, str]]:
    """A function that decodes a JPEG shrunk, as `PhotoPage` needs it."""

    def open_shrunk(shrink: int) -> tuple[pyvips.Image, str]:
        try:
            pixels, defect = JpegImage(path.read_bytes()).decode(shrink)
        except (SyntaxError, OSError, struct.error) as error:
            raise UnreadableImageError(first_reason(error, path)) from error
        image = pyvips.Image.new_from_array(np.asarray(pixels))
        return image.copy(interpretation=_INTERPRETATIONS[image.bands]), defect

    return open_shrunk


def _open_heif(path: Path):
    import pillow_heif

    # Pillow's plugin would reduce the image to 8 bits.
    return pillow_heif.open_heif(path, convert_hdr_to_8bit=False)


def _check_size(width: int, height: int) -> None:
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f"{width} x {height} pixels, {TOO_LARGE}")
