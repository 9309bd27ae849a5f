"""Writes PNG in strips, with the metadata of a photograph.

Pillow cannot write 16-bit color, and libvips needs the whole image at once and adds texts and EXIF
of its own.

Reference: PNG Specification (Third Edition), sections 5, 9 and 11.
"""

import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from data.photos.metadata import PNG_SIGNATURE, PNG_XMP, PhotoMetadata

_COLOR_TYPES = {3: 2, 4: 6}
_DIFFERENCE_FROM_ABOVE = 2

# zlib's default level 6 makes files 3 % smaller and takes three times as long.
_LEVEL = 3

_INCHES_IN_A_METER = 1 / 0.0254
_METER = 1


def write_png(
    file: BinaryIO,
    strips: Iterable[np.ndarray],
    height: int,
    width: int,
    metadata: PhotoMetadata,
) -> None:
    """Writes a PNG.

    Args:
        file: binary file, empty and open for writing.
        strips: uint8 or uint16 arrays of shape (rows, width, 3 or 4), from top to bottom; the
            fourth channel is alpha.
        height: int, the number of rows in all strips.
        width: int, the width of the strips.
        metadata: `PhotoMetadata` to write.
    """
    strips = iter(strips)
    first = next(strips)
    depth, channels = 8 * first.itemsize, first.shape[2]
    file.write(PNG_SIGNATURE)
    header = struct.pack(">LLBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    _write_chunk(file, b"IHDR", header)
    for kind, content in _metadata_chunks(metadata):
        _write_chunk(file, kind, content)
    compressor = zlib.compressobj(_LEVEL)
    above = np.zeros([1, width * channels * first.itemsize], "uint8")
    for strip in itertools.chain([first], strips):
        above = _write_strip(file, compressor, strip, above)
    _write_chunk(file, b"IDAT", compressor.flush())
    _write_chunk(file, b"IEND", b"")


def _write_strip(file: BinaryIO, compressor, strip: np.ndarray, above: np.ndarray) -> np.ndarray:
    """Writes the rows of a strip and returns the last one as bytes."""
    big_endian = strip.astype(strip.dtype.newbyteorder(">"), copy=False)
    rows = np.ascontiguousarray(big_endian).view("uint8").reshape(len(strip), -1)
    filtered = np.empty([len(rows), 1 + rows.shape[1]], "uint8")
    filtered[:, 0] = _DIFFERENCE_FROM_ABOVE
    np.subtract(rows, np.concatenate([above, rows[:-1]]), out=filtered[:, 1:])
    packed = compressor.compress(filtered)
    if packed:
        _write_chunk(file, b"IDAT", packed)
    return rows[-1:]


def _metadata_chunks(metadata: PhotoMetadata) -> Iterator[tuple[bytes, bytes]]:
    if metadata.profile:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.profile)
    yield from metadata.meanings
    if metadata.dots_per_inch:
        across, down = (round(dots * _INCHES_IN_A_METER) for dots in metadata.dots_per_inch)
        yield b"pHYs", struct.pack(">LLB", across, down, _METER)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    yield from metadata.texts
    if metadata.xmp and not metadata.texts_hold_xmp:
        # Not compressed, no language, no translated keyword.
        yield b"iTXt", PNG_XMP + b"\0\0" + b"\0\0" + metadata.xmp


def _write_chunk(file: BinaryIO, kind: bytes, content: bytes) -> None:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    file.write(struct.pack(">L4s", len(content), kind))
    file.write(content)
    file.write(struct.pack(">L", checksum))
