"""Reads the metadata of PNG files and writes them in strips.

Pillow refuses a PNG that contains a damaged or long text and cannot write 16-bit color; libvips
needs the whole image at once and adds texts and EXIF of its own.

Reference: PNG Specification (Third Edition), sections 5, 9 and 11.
"""

import contextlib
import itertools
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from data.photos.exif import EXIF_PREFIX, orientation_of
from data.photos.metadata import PhotoMetadata
from data.photos.xmp import merge_packets
from data.photos.xmp_upright import NO_CREDENTIALS

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# The chunks with texts or the time, and those that define which colors the numbers mean.
_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")
_MEANINGS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_XMP = b"XML:com.adobe.xmp"
_RAW_XMP = b"Raw profile type xmp"
_CREDENTIALS = b"caBX"
_RAW_PROFILE = b"Raw profile type "

_METERS_IN_AN_INCH = 0.0254
_METER = 1

# The profiles of scanners have 2 MB.
_LARGEST = 2**26

_COLOR_TYPES = {3: 2, 4: 6}
_DIFFERENCE_FROM_ABOVE = 2

# zlib's default level 6 makes files 3 % smaller and takes three times as long.
_LEVEL = 3


def read_png_metadata(path: Path) -> PhotoMetadata:
    """Reads the metadata of a PNG."""
    chunks = list(_read_chunks(path))
    last = dict(chunks)
    packets = [packet for chunk in chunks if (packet := _xmp_packet(*chunk))]
    raw = [exif for chunk in chunks if (exif := _raw_exif(*chunk))]
    exif = last.get(b"eXIf", b"").removeprefix(EXIF_PREFIX) or (raw[-1] if raw else b"")
    profile = _inflate(last.get(b"iCCP", b"").partition(b"\0")[2][1:])
    return PhotoMetadata(
        exif=exif,
        xmp=merge_packets(packets),
        dots_per_inch=_dots_per_inch(last.get(b"pHYs", b"")),
        orientation=orientation_of(exif),
        texts=[
            chunk
            for chunk in chunks
            if chunk[0] in _TEXTS and not (_xmp_packet(*chunk) or _raw_exif(*chunk))
        ],
        # A profile takes precedence over these chunks.
        meanings=[] if profile else [chunk for chunk in chunks if chunk[0] in _MEANINGS],
        profile=profile,
        images=int.from_bytes(last[b"acTL"][:4], "big") if b"acTL" in last else 1,
        notes=[NO_CREDENTIALS] if _CREDENTIALS in last else [],
    )


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
    file.write(SIGNATURE)
    header = struct.pack(">LLBBBBB", width, height, depth, _COLOR_TYPES[channels], 0, 0, 0)
    _write_chunk(file, b"IHDR", header)
    for kind, content in _metadata_chunks(metadata):
        _write_chunk(file, kind, content)
    compressor = zlib.compressobj(_LEVEL)
    above = np.zeros([1, width * channels * first.itemsize], "uint8")
    for strip in itertools.chain([first], strips):
        big_endian = strip.astype(strip.dtype.newbyteorder(">"), copy=False)
        rows = np.ascontiguousarray(big_endian).view("uint8").reshape(len(strip), -1)
        filtered = np.empty([len(rows), 1 + rows.shape[1]], "uint8")
        filtered[:, 0] = _DIFFERENCE_FROM_ABOVE
        np.subtract(rows, np.concatenate([above, rows[:-1]]), out=filtered[:, 1:])
        above = rows[-1:]
        if packed := compressor.compress(filtered.data):
            _write_chunk(file, b"IDAT", packed)
    _write_chunk(file, b"IDAT", compressor.flush())
    _write_chunk(file, b"IEND", b"")


def _read_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yields the type and contents of the metadata chunks of a PNG."""
    with open(path, "rb") as file:
        file.seek(len(SIGNATURE))
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">L4s", head)
            if kind in (*_TEXTS, *_MEANINGS, b"eXIf", b"pHYs", b"iCCP", b"acTL"):
                yield kind, file.read(size)
            elif kind == _CREDENTIALS:
                yield kind, b""
                file.seek(size, 1)
            else:
                file.seek(size, 1)
            file.seek(4, 1)


def _raw_exif(kind: bytes, text: bytes) -> bytes:
    """The EXIF in a text, in which programs wrote it before it had a chunk; empty if it is another.

    It is an empty line, a name, a size, and the bytes as hexadecimal digits.
    """
    name, _, rest = text.partition(b"\0")
    if kind not in _TEXTS or not name.startswith(_RAW_PROFILE):
        return b""
    if kind == b"zTXt":
        rest = _inflate(rest[1:])
    elif kind == b"iTXt":
        # Compression flag and method, language, translated keyword.
        is_compressed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        rest = _inflate(rest) if is_compressed else rest
    try:
        profile = bytes.fromhex("".join(rest.decode("latin-1").split()[2:]))
    except ValueError:
        return b""
    exif = profile.removeprefix(EXIF_PREFIX)
    return exif if exif[:2] in (b"II", b"MM") else b""


def _xmp_packet(kind: bytes, text: bytes) -> bytes:
    """The XMP packet in a text; empty if it is another text.

    Before there was a keyword for XMP, programs wrote it as an empty line, a name, a size, and
    hexadecimal digits.
    """
    head, _, rest = text.partition(b"\0")
    if head == _RAW_XMP and kind in (b"tEXt", b"zTXt"):
        raw = _inflate(rest[1:]) if kind == b"zTXt" else rest
        with contextlib.suppress(ValueError):
            return bytes.fromhex(b"".join(raw.split()[2:]).decode("ascii"))
        return b""
    if kind == b"zTXt" and head == _XMP:
        return _inflate(rest[1:])
    if kind != b"iTXt" or head != _XMP:
        return b""
    # Compression flag and method, language, translated keyword, packet.
    packet = rest[2:].split(b"\0", 2)[-1]
    return _inflate(packet) if rest[:1] == b"\1" else packet


def _inflate(compressed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(compressed, _LARGEST)
    except zlib.error:
        # Not a valid profile or packet, which is reported later.
        return compressed


def _dots_per_inch(chunk: bytes) -> tuple[float, float] | None:
    if len(chunk) != 9 or chunk[8] != _METER:
        return None
    across, down = struct.unpack_from(">LL", chunk)
    return across * _METERS_IN_AN_INCH, down * _METERS_IN_AN_INCH


def _metadata_chunks(metadata: PhotoMetadata) -> Iterator[tuple[bytes, bytes]]:
    if metadata.profile:
        yield b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.profile)
    yield from metadata.meanings
    if metadata.dots_per_inch:
        across, down = (round(dots / _METERS_IN_AN_INCH) for dots in metadata.dots_per_inch)
        yield b"pHYs", struct.pack(">LLB", across, down, _METER)
    if metadata.exif:
        yield b"eXIf", metadata.exif
    yield from metadata.texts
    if metadata.xmp:
        # Not compressed, no language, no translated keyword.
        yield b"iTXt", _XMP + bytes(5) + metadata.xmp


def _write_chunk(file: BinaryIO, kind: bytes, content: bytes) -> None:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    file.write(struct.pack(">L4s", len(content), kind) + content + struct.pack(">L", checksum))
