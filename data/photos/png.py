"""PNG's chunks: what stands in a PNG besides pixels.

Reference: PNG Specification (Third Edition), sections 5 and 11.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator

from data.photos.metadata import PhotoMetadata

_SIGNATURE_SIZE = 8
_INCHES_IN_A_METER = 1 / 0.0254
_METER = 1

# What an encoder writes that belongs to the pixels; its other chunks are not ours.
_PIXELS = (b"IHDR", b"iCCP", b"IDAT", b"IEND")


def with_metadata(png: bytes, metadata: PhotoMetadata) -> Iterator[bytes]:
    """A PNG with the metadata of a photograph in place of its own.

    Args:
        png: a whole file as an encoder wrote it.
        metadata: `PhotoMetadata`.

    Yields:
        The parts of the file.
    """
    yield png[:_SIGNATURE_SIZE]
    for kind, content in _chunks(png):
        if kind not in _PIXELS:
            continue
        if kind == b"IDAT" and metadata is not None:
            yield from (_chunk(*own) for own in _metadata_chunks(metadata))
            metadata = None
        yield _chunk(kind, content)


def _metadata_chunks(metadata: PhotoMetadata) -> Iterable[tuple[bytes, bytes]]:
    if metadata.dots_per_inch:
        across, down = (round(dots * _INCHES_IN_A_METER) for dots in metadata.dots_per_inch)
        yield b"pHYs", struct.pack(">LLB", across, down, _METER)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    yield from metadata.texts
    if metadata.xmp and not metadata.texts_hold_xmp:
        yield b"iTXt", b"XML:com.adobe.xmp\0" + b"\0\0" + b"\0\0" + metadata.xmp


def _chunks(png: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(png)
    place = _SIGNATURE_SIZE
    while place < len(png):
        size, kind = struct.unpack_from(">L4s", png, place)
        yield kind, view[place + 8 : place + 8 + size]
        place += 12 + size


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join((struct.pack(">L4s", len(content), kind), content, struct.pack(">L", checksum)))
