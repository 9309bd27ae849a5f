"""Reads and writes the parts of a JPEG that Pillow does not handle.

Pillow gives one comment of several, no extended XMP, and nothing that is behind the image.

Reference: ITU-T T.81, annex B; XMP Specification Part 3 (Adobe, 2020), section 1.1.3.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from data.photos.xmp import HAS_EXTENDED_XMP, XmpPacket, merge_packets
from data.photos.xmp_upright import NO_CREDENTIALS, NO_GAIN_MAP, NO_VIDEO

_SCAN, _END, _COMMENT = 0xDA, 0xD9, 0xFE
_APP1, _APP2, _APP11, _APP13 = 0xE1, 0xE2, 0xEB, 0xED
# Markers without a length.
_ALONE = (0x01, *range(0xD0, 0xD9))

_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
# The MD5 in hexadecimal digits, the size of the whole, and the offset of the part.
_PART = struct.Struct(">32sLL")

# The bytes that fit into a segment.
LARGEST_SEGMENT = 65533
_LARGEST_XMP = LARGEST_SEGMENT - len(_XMP)


@dataclass(frozen=True)
class JpegExtras:
    """The parts of a JPEG that Pillow does not give.

    Attributes:
        comments: list of bytes, in the order of the file.
        photoshop: bytes, Photoshop's resources, which may extend over several segments.
        xmp: bytes, the XMP packet, joined with its extended part.
        has_gain_map: bool, whether one of the images is the gain map of another.
        notes: list of str, what the file contains that is not copied.
    """

    comments: list[bytes]
    photoshop: bytes
    xmp: bytes
    has_gain_map: bool
    notes: list[str]


def read_jpeg_extras(path: Path, images: int) -> JpegExtras:
    """Reads the parts of a JPEG that Pillow does not give.

    Args:
        path: the file.
        images: int, the number of images that Pillow finds in it.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        segments, scan = _read_segments(data)
        # Within a scan, a byte of 255 is followed by a zero, so this is its end.
        end = data.find(b"\xff\xd9", scan)
        behind = data[end + 2 :].strip(b"\0\r\n ") if end >= 0 else b""
    packets = _contents(segments, _APP1, _XMP)
    has_gain_map = bool(_contents(segments, _APP2, _ISO_GAIN_MAP)) or (
        any(b"hdr-gain-map" in packet for packet in packets)
    )
    credentials = [content for content in _contents(segments, _APP11, b"JP") if b"c2pa" in content]
    notes = [NO_CREDENTIALS] if credentials else []
    if b"ftyp" in behind:
        notes.append(NO_VIDEO)
    if has_gain_map:
        notes.append(NO_GAIN_MAP)
    elif behind.startswith(b"\xff\xd8") and images == 1:
        notes.append("the other JPEG behind its end is not copied")
    elif behind and images == 1 and b"ftyp" not in behind:
        notes.append(f"the {len(behind)} bytes behind its end are not copied")
    return JpegExtras(
        comments=_contents(segments, _COMMENT, b""),
        photoshop=b"".join(_contents(segments, _APP13, _PHOTOSHOP)),
        xmp=_joined(merge_packets(packets), _contents(segments, _APP1, _EXTENDED_XMP)),
        has_gain_map=has_gain_map,
        notes=notes,
    )


def write_segments(comments: list[bytes], photoshop: bytes, xmp: bytes) -> bytes:
    """Makes the segments of a JPEG with comments, Photoshop's resources and XMP.

    Args:
        comments: list of bytes, none longer than `LARGEST_SEGMENT`.
        photoshop: bytes, resources of any size.
        xmp: bytes, a packet of any size: one that does not fit into a segment is split.
    """
    contents = [(_APP13, part) for part in _parts(_PHOTOSHOP, photoshop)]
    if len(xmp) > _LARGEST_XMP:
        xmp, extended = XmpPacket(xmp).split(_LARGEST_XMP)
    else:
        extended = b""
    if xmp:
        contents.append((_APP1, _XMP + xmp))
    if extended:
        name = (XmpPacket(xmp).value(HAS_EXTENDED_XMP) or "").encode()
        size = LARGEST_SEGMENT - len(_EXTENDED_XMP) - _PART.size
        contents += [
            (
                _APP1,
                _EXTENDED_XMP
                + _PART.pack(name, len(extended), offset)
                + extended[offset : offset + size],
            )
            for offset in range(0, len(extended), size)
        ]
    contents += [(_COMMENT, comment) for comment in comments]
    return b"".join(
        b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content
        for marker, content in contents
    )


def _read_segments(data: mmap.mmap) -> tuple[list[tuple[int, bytes]], int]:
    """The markers and contents of the segments before the first scan, and the offset of that."""
    segments, position = [], 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker in (_SCAN, _END):
            break
        if marker == 0xFF:
            # A byte that fills.
            position += 1
        elif marker in _ALONE:
            position += 2
        else:
            (size,) = struct.unpack_from(">H", data, position + 2)
            segments.append((marker, data[position + 4 : position + 2 + size]))
            position += 2 + max(2, size)
    return segments, position


def _contents(segments: list[tuple[int, bytes]], marker: int, prefix: bytes) -> list[bytes]:
    """The contents of the segments with a marker and a prefix, without the prefix."""
    return [
        content.removeprefix(prefix)
        for found, content in segments
        if found == marker and content.startswith(prefix)
    ]


def _parts(prefix: bytes, content: bytes) -> list[bytes]:
    size = LARGEST_SEGMENT - len(prefix)
    return [prefix + content[start : start + size] for start in range(0, len(content), size)]


def _joined(xmp: bytes, parts: list[bytes]) -> bytes:
    """A packet with the properties of its extended part, if that is complete."""
    if not parts:
        return xmp
    try:
        packet = XmpPacket(xmp)
        name = (packet.value(HAS_EXTENDED_XMP) or "").encode()
        extended = _extended(name, parts) if name else b""
        if not extended:
            return xmp
        packet.merge(XmpPacket(extended))
    except ValueError:
        # It is reported as broken, or as missing its extended part.
        return xmp
    packet.remove(HAS_EXTENDED_XMP.__eq__)
    return packet.to_bytes()


def _extended(name: bytes, parts: list[bytes]) -> bytes:
    """The extended part of this name; empty if it is not complete."""
    pieces, total = {}, 0
    for part in parts:
        if len(part) >= _PART.size:
            found, size, offset = _PART.unpack_from(part)
            if found.upper() == name.upper():
                pieces[offset], total = part[_PART.size :], size
    joined = b""
    for offset, piece in sorted(pieces.items()):
        if offset != len(joined):
            return b""
        joined += piece
    return joined if len(joined) == total else b""
