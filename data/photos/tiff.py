"""Reads the metadata of TIFF files and writes them in strips: pages of any sizes and depths.

libvips writes only pages of equal size and no EXIF, Pillow no 16-bit color, tifffile no EXIF. The
written files are baseline RGB TIFFs with lossless compression.

Reference: TIFF 6.0; Adobe Photoshop TIFF Technical Notes (deflate).
"""

import itertools
import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from typing import BinaryIO

import numpy as np

from data.photos.exif import (
    ORIENTATION,
    Directory,
    Entry,
    TiffReader,
    make_exif,
    write_directory,
)
from data.photos.metadata import PhotoMetadata, without_thumbnails
from data.photos.xmp_upright import NO_CREDENTIALS
from errors import InputError

# The tags that describe how the pixels are stored or point to other parts of the file. They are not
# copied: the writer has its own. Among the last ones are Photoshop's layers, which contain the gray
# image again, ImageJ's, and content credentials, which a changed image invalidates.
_STRUCTURE = frozenset(
    [*range(254, 260), *range(262, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 301]
    + [*range(317, 329), 330, *range(332, 335), 336, *range(338, 348), *range(400, 406)]
    + [*range(433, 436), *range(512, 522), *range(529, 533), 559, 700, 34675, 37724, 50784]
    + [50838, 50839, 52545]
    # What makes a TIFF a raw file.
    + [33421, 33422, 50706, 50707]
)
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_XMP, _ICC, _PHOTOSHOP, _C2PA = 700, 34675, 34377, 52545

_UNDEFINED, _BYTE, _SHORT, _LONG, _RATIONAL = 7, 1, 3, 4, 5
# The `struct` codes of the types of a resolution, and of those that are written.
_CODES = {_SHORT: "H", _LONG: "L", _RATIONAL: "LL", 11: "f", 12: "d"}
_DEFLATE, _HORIZONTAL_DIFFERENCES, _RGB, _UNASSOCIATED_ALPHA = 8, 2, 2, 2
_INCH, _CENTIMETER = 2, 3

_LARGEST = 2**32 - 1

# zlib's default level 6 makes files 3 % smaller and takes three times as long.
_LEVEL = 3


def write_tiff(file: BinaryIO, pages: Iterable[tuple[PhotoMetadata, Iterable[np.ndarray]]]) -> None:
    """Writes a TIFF.

    Args:
        file: binary file, empty and open for writing.
        pages: iterable of tuples of the `PhotoMetadata` to write, whose EXIF is in the same byte
            order on all pages, and strips from top to bottom, all but the last of the same height:
            uint8 or uint16 arrays of shape (rows, width, 3 or more). The channels after the third
            are of the kinds in the metadata, or one alpha.

    Raises:
        InputError: the file would exceed the 4 GiB limit of TIFF.

    Example:
        strips = [np.full((16, 48, 3), gray, "uint8") for gray in (50, 100, 150, 200)]
        with open("stripes.tif", "wb") as file:
            write_tiff(file, [(PhotoMetadata(), strips)])
    """
    link = 0
    for metadata, strips in pages:
        order = metadata.byte_order
        if not link:
            file.write((b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 0))
            # The position at which the offset of the next directory is written.
            link = 4
        directory = _describing(metadata.exif)
        kinds = metadata.extra_samples or (_UNASSOCIATED_ALPHA,)
        directory.entries |= _write_strips(file, strips, order, kinds) | _color_and_size(metadata)
        offset = file.seek(0, 2)
        offset += offset % 2
        content, next_link = write_directory(directory, order, offset)
        _append(file, content)
        file.seek(link)
        file.write(struct.pack(order + "L", offset))
        link = next_link


def tiff_metadata(directory: Directory, tiff: TiffReader) -> PhotoMetadata:
    """The metadata of one image in a TIFF.

    Args:
        directory: `Directory` of the image.
        tiff: `TiffReader` that has read it.
    """
    description = _without_structure(directory)
    photoshop = description.entries.get(_PHOTOSHOP)
    if photoshop:
        value = without_thumbnails(photoshop.value)
        description.entries[_PHOTOSHOP] = Entry(photoshop.kind, value)
    is_empty = not description.entries and not description.children
    orientation = tiff.integer(directory.entries.get(ORIENTATION))
    xmp, profile = (
        directory.entries[tag].value if tag in directory.entries else b"" for tag in (_XMP, _ICC)
    )
    return PhotoMetadata(
        exif=b"" if is_empty else make_exif(description, tiff.order),
        byte_order=tiff.order,
        xmp=xmp,
        profile=profile,
        dots_per_inch=_dots_per_inch(directory, tiff),
        orientation=orientation if orientation is not None and 1 <= orientation <= 8 else 1,
        is_odd=orientation not in (None, *range(1, 9)),
        notes=[NO_CREDENTIALS] if _C2PA in directory.entries else [],
    )


def _describing(exif: bytes) -> Directory:
    """The tags of an EXIF block that a TIFF may contain in addition to its own."""
    if not exif:
        return Directory()
    tiff = TiffReader(exif)
    return _without_structure(tiff.directory(tiff.first))


def _without_structure(directory: Directory) -> Directory:
    entries = {tag: entry for tag, entry in directory.entries.items() if tag not in _STRUCTURE}
    return Directory(entries, directory.children)


def _dots_per_inch(directory: Directory, tiff: TiffReader) -> tuple[float, float] | None:
    unit = tiff.integer(directory.entries.get(_RESOLUTION_UNIT)) or _INCH
    # With unit 1, only the ratio of the two is meaningful.
    inches = {1: 0.0, _CENTIMETER: 2.54}.get(unit, 1.0)
    dots = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _CODES:
            return None
        numbers = struct.unpack_from(tiff.order + _CODES[entry.kind], entry.value)
        numerator, denominator = (*numbers, 1)[:2]
        dots.append(inches * numerator / denominator if denominator else 0.0)
    return dots[0], dots[1]


def _write_strips(
    file: BinaryIO, strips: Iterable[np.ndarray], order: str, extra_samples: tuple[int, ...]
) -> dict[int, Entry]:
    """Writes the pixels of a page and returns the tags that describe how they are stored."""
    strips = iter(strips)
    first = next(strips)
    rows, width, channels = first.shape
    height, offsets, sizes = 0, [], []
    for strip in itertools.chain([first], strips):
        differences = strip.copy()
        differences[:, 1:] -= strip[:, :-1]
        ordered = differences.astype(f"{order}u{strip.itemsize}", copy=False)
        packed = zlib.compress(ordered.data, _LEVEL)
        offsets.append(_append(file, packed))
        sizes.append(len(packed))
        height += len(strip)
    entries = {
        256: _entry(order, _LONG, width),
        257: _entry(order, _LONG, height),
        258: _entry(order, _SHORT, *[8 * first.dtype.itemsize] * channels),
        259: _entry(order, _SHORT, _DEFLATE),
        262: _entry(order, _SHORT, _RGB),
        273: _entry(order, _LONG, *offsets),
        277: _entry(order, _SHORT, channels),
        278: _entry(order, _LONG, rows),
        279: _entry(order, _LONG, *sizes),
        317: _entry(order, _SHORT, _HORIZONTAL_DIFFERENCES),
    }
    if channels > 3:
        entries[338] = _entry(order, _SHORT, *extra_samples)
    return entries


def _color_and_size(metadata: PhotoMetadata) -> dict[int, Entry]:
    order, entries = metadata.byte_order, {}
    if metadata.dots_per_inch:
        for tag, dots in zip((_X_RESOLUTION, _Y_RESOLUTION), metadata.dots_per_inch, strict=True):
            ratio = Fraction(dots).limit_denominator(10_000).as_integer_ratio()
            entries[tag] = Entry(_RATIONAL, struct.pack(order + "LL", *ratio))
        entries[_RESOLUTION_UNIT] = _entry(order, _SHORT, _INCH)
    if metadata.xmp:
        entries[_XMP] = Entry(_BYTE, metadata.xmp)
    if metadata.profile:
        entries[_ICC] = Entry(_UNDEFINED, metadata.profile)
    return entries


def _entry(order: str, kind: int, *values: int) -> Entry:
    return Entry(kind, struct.pack(order + _CODES[kind] * len(values), *values))


def _append(file: BinaryIO, content: bytes) -> int:
    """Writes at the end of the file, at an even offset, and returns the offset."""
    offset = file.seek(0, 2)
    if offset + len(content) >= _LARGEST:
        raise InputError("its result would exceed the 4 GiB limit of TIFF; give another format")
    padding = bytes(offset % 2)
    file.write(padding + content)
    return offset + len(padding)
