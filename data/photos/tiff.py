"""Writes TIFF in strips: pages of any sizes and depths, with their EXIF.

libvips writes only pages of equal size and no EXIF, Pillow no 16-bit color, tifffile no EXIF. The
files are baseline RGB TIFFs with lossless compression.

Reference: TIFF 6.0; Adobe Photoshop TIFF Technical Notes (deflate).
"""

import itertools
import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from data.photos.exif import Directory, Entry, write_directory
from data.photos.metadata import PhotoMetadata, descriptive_tags

_UNDEFINED, _BYTE, _SHORT, _LONG, _RATIONAL = 7, 1, 3, 4, 5
_DEFLATE, _HORIZONTAL_DIFFERENCES, _RGB, _UNASSOCIATED_ALPHA, _INCH = 8, 2, 2, 2, 2

_LARGEST = 2**32 - 1

# zlib's default level 6 makes files 3 % smaller and takes three times as long.
_LEVEL = 3


class TiffWriter:
    """Writes the pages of a TIFF one after another.

    Args:
        file: binary file, empty and open for writing.
        order: str, `<` or `>`, the byte order of the file and of the EXIF in it. Defaults to `"<"`.

    Example:
        strips = [np.full((16, 48, 3), gray, "uint8") for gray in (50, 100, 150, 200)]
        with open("stripes.tif", "wb") as file:
            TiffWriter(file).add_page(strips, height=64, width=48, metadata=PhotoMetadata())
    """

    def __init__(self, file: BinaryIO, order: str = "<"):
        self._file = file
        self._order = order
        self._file.write((b"II" if order == "<" else b"MM") + self._numbers("HL", 42, 0))
        # The position at which the offset of the next directory is written.
        self._link = 4

    def add_page(
        self, strips: Iterable[np.ndarray], height: int, width: int, metadata: PhotoMetadata
    ) -> None:
        """Adds a page.

        Args:
            strips: uint8 or uint16 arrays of shape (rows, width, 3 or 4), from top to bottom, all
                but the last of the same height; the fourth channel is alpha.
            height: int, the number of rows in all strips.
            width: int, the width of the strips.
            metadata: `PhotoMetadata` to write. Its EXIF, if any, is in the byte order of the file.

        Raises:
            ValueError: the file would exceed the 4 GiB limit of TIFF.
        """
        strips = iter(strips)
        first = next(strips)
        offsets, sizes = [], []
        for strip in itertools.chain([first], strips):
            packed = self._pack(strip)
            offsets.append(self._append(packed))
            sizes.append(len(packed))
        directory = descriptive_tags(metadata.exif)
        directory.entries |= self._layout(first, height, width, offsets, sizes)
        directory.entries |= self._color_and_size(metadata)
        self._close_page(directory)

    def _layout(
        self, first: np.ndarray, height: int, width: int, offsets: list[int], sizes: list[int]
    ) -> dict[int, Entry]:
        rows, _, channels = first.shape
        entries = {
            256: self._entry(_LONG, width),
            257: self._entry(_LONG, height),
            258: self._entry(_SHORT, *[8 * first.dtype.itemsize] * channels),
            259: self._entry(_SHORT, _DEFLATE),
            262: self._entry(_SHORT, _RGB),
            273: self._entry(_LONG, *offsets),
            277: self._entry(_SHORT, channels),
            278: self._entry(_LONG, rows),
            279: self._entry(_LONG, *sizes),
            317: self._entry(_SHORT, _HORIZONTAL_DIFFERENCES),
        }
        if channels == 4:
            entries[338] = self._entry(_SHORT, _UNASSOCIATED_ALPHA)
        return entries

    def _color_and_size(self, metadata: PhotoMetadata) -> dict[int, Entry]:
        entries = {}
        if metadata.dots_per_inch:
            for tag, dots in zip((282, 283), metadata.dots_per_inch, strict=True):
                ratio = Fraction(dots).limit_denominator(10_000)
                entries[tag] = self._entry(_RATIONAL, ratio.numerator, ratio.denominator)
            entries[296] = self._entry(_SHORT, _INCH)
        if metadata.xmp:
            entries[700] = Entry(_BYTE, len(metadata.xmp), metadata.xmp)
        if metadata.profile:
            entries[34675] = Entry(_UNDEFINED, len(metadata.profile), metadata.profile)
        return entries

    def _pack(self, strip: np.ndarray) -> bytes:
        differences = strip.copy()
        differences[:, 1:] -= strip[:, :-1]
        kind = strip.dtype.newbyteorder(self._order)
        return zlib.compress(differences.astype(kind, copy=False), _LEVEL)

    def _append(self, content: bytes) -> int:
        """Writes at the end of the file, at an even offset, and returns the offset."""
        offset = self._file.seek(0, 2)
        if offset + len(content) >= _LARGEST:
            raise ValueError("its result would exceed the 4 GiB limit of TIFF")
        padding = b"\0" * (offset % 2)
        self._file.write(padding + content)
        return offset + len(padding)

    def _close_page(self, directory: Directory) -> None:
        offset = self._file.seek(0, 2)
        offset += offset % 2
        content, link = write_directory(directory, self._order, offset)
        self._append(content)
        self._file.seek(self._link)
        self._file.write(self._numbers("L", offset))
        self._link = link

    def _entry(self, kind: int, *values: int) -> Entry:
        if kind == _RATIONAL:
            return Entry(kind, len(values) // 2, self._numbers("L" * len(values), *values))
        code = {_SHORT: "H", _LONG: "L"}[kind]
        return Entry(kind, len(values), self._numbers(code * len(values), *values))

    def _numbers(self, codes: str, *values: int) -> bytes:
        return struct.pack(self._order + codes, *values)
