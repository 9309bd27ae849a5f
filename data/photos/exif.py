"""Reads EXIF, which is a small TIFF, and adapts it to an upright photograph or another file.

Pillow's `Image.Exif` would move the values and encode texts as ASCII. Here a block is patched in
place, because maker notes contain offsets that cannot be corrected: moving the notes breaks them. A
block is taken apart and rebuilt, byte for byte, only for TIFF files, whose own directories contain
these tags.

Reference: TIFF 6.0, section 2; Exif 2.32 (JEITA CP-3451), section 4.6.
"""

import contextlib
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

# The prefix of EXIF in a JPEG.
EXIF_PREFIX = b"Exif\0\0"

ORIENTATION = 0x0112
_EXIF_DIRECTORY, _GPS_DIRECTORY, _INTEROPERABILITY_DIRECTORY = 0x8769, 0x8825, 0xA005
# The size of the image. Phones write it in the first directory, cameras in the EXIF directory.
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)
# The position of the main subject in the EXIF directory, in pixels.
_SUBJECTS = (0x9214, 0xA214)
# What says whether the image is gray.
_BITS, _PHOTOMETRIC, _SAMPLES = 0x0102, 0x0106, 0x0115
# The photometric interpretation of an image in color.
RGB, YCBCR = 2, 6
_DESCRIPTION = 0x010E
# The descriptions of tifffile, which say only how a file stores its pixels, and those of ImageJ,
# Fiji, OME and tifffile with more information.
_SHAPE = re.compile(rb'(\{"shape": ?\[[\d, ]*\](, "axes": ?"\w*")?\}|shape=\([\d, ]*\))\0*$')
_OF_PIXELS = re.compile(
    rb'(?s)\{"shape"|shape=\(|ImageJ=|SCIFIO=|\W{0,8}<(\?xml.{0,4096}?<)?(\w+:)?OME\s'
)
_THUMBNAIL_OFFSET, _THUMBNAIL_SIZE = 0x0201, 0x0202

# The tags that point to other directories, which are copied too.
_CHILDREN = (_EXIF_DIRECTORY, _GPS_DIRECTORY, _INTEROPERABILITY_DIRECTORY)

# The bytes of one value of each TIFF type, including the 64-bit types of BigTIFF.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES |= {16: 8, 17: 8, 18: 8}
_LAST_KIND = 12
# The `struct` codes of the types of integers.
_INTEGERS = {1: "B", 3: "H", 4: "L", 8: "h", 9: "l", 13: "L", 16: "Q", 18: "Q"}
_SHORT, _LONG = 3, 4

# The EXIF directory, the first level, contains the interoperability directory.
_DEEPEST = 2

# No camera writes more entries; a directory that claims more is broken.
_MOST_ENTRIES = 4096


@dataclass(frozen=True)
class Entry:
    """One tag of a directory.

    Attributes:
        kind: int, the TIFF number of the type of the values.
        value: bytes, the values in the byte order of the file.
        offset: int, the offset of the values. Defaults to `0`.
    """

    kind: int
    value: bytes
    offset: int = 0


@dataclass
class Directory:
    """The tags of one image file directory (IFD).

    Attributes:
        entries: dict of int to `Entry`, the tags without those that point to children.
        children: dict of int to `Directory`, by the tag that points to each.
        begin: int, the offset of the directory.
        end: int, the offset of its last part, the link to the next directory in the chain.
        next: int, the offset of the next directory; 0 if there is none.
    """

    entries: dict[int, Entry] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    begin: int = 0
    end: int = 0
    next: int = 0


class TiffReader:
    """Reads the directories of a TIFF or BigTIFF.

    Args:
        data: bytes-like, the TIFF: an EXIF block, or a file that is mapped into memory.

    Attributes:
        order: str, `<` or `>` as in `struct`.
        first: int, the offset of the first directory.
        is_big: bool, whether it is a BigTIFF.

    Raises:
        ValueError: the data is not a TIFF.

    Example:
        tiff = TiffReader(make_exif(Directory({271: Entry(2, b"Nikon\\0")}), "<"))
        tiff.directory(tiff.first).entries[271].value           # b"Nikon\\0"
    """

    def __init__(self, data: bytes | bytearray | mmap.mmap):
        self.data = data
        self.order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]), "")
        version = self._unpack("H", 2)[0] if self.order and len(data) >= 8 else 0
        if version not in (42, 43) or (version == 43 and len(data) < 16):
            raise ValueError("it does not start with a TIFF header")
        self.is_big = version == 43
        # The `struct` code of an offset.
        self._link = "Q" if self.is_big else "L"
        (self.first,) = self._unpack(self._link, 8 if self.is_big else 4)

    def chain(self) -> Iterator[Directory]:
        """Yields the directories of all pages; a circular chain is read once.

        Raises:
            ValueError: a directory is broken.
        """
        offset, seen = self.first, set()
        while offset and offset not in seen:
            seen.add(offset)
            directory = self.directory(offset)
            yield directory
            offset = directory.next

    def directory(self, offset: int, depth: int = 0) -> Directory:
        """Reads the directory at `offset` with its children.

        Args:
            offset: int, the offset of the directory.
            depth: int, 0 for a directory that is not a child of another one. Defaults to `0`.

        Raises:
            ValueError: the directory is broken.
        """
        if not 0 < offset < len(self.data):
            raise ValueError("a directory extends beyond the end of the data")
        (count,) = self._unpack("Q" if self.is_big else "H", offset)
        if count > _MOST_ENTRIES:
            raise ValueError("a directory is broken")
        position = offset + (8 if self.is_big else 2)
        inline = struct.calcsize("=" + self._link)
        directory = Directory(begin=offset)
        seen = set()
        for _ in range(count):
            tag, kind, number = self._unpack("HH" + self._link, position)
            position += 4 + inline
            size = _SIZES.get(kind, 0) * number
            value_offset = self._unpack(self._link, position)[0] if size > inline else position
            position += inline
            # A value that is truncated or of an unknown type cannot be copied.
            if not size or value_offset + size > len(self.data) or tag in seen:
                continue
            seen.add(tag)
            value = bytes(self.data[value_offset : value_offset + size])
            entry = Entry(kind, value, value_offset)
            if tag not in _CHILDREN:
                directory.entries[tag] = entry
            elif depth < _DEEPEST:
                # A broken child does not make the whole directory broken.
                with contextlib.suppress(ValueError):
                    directory.children[tag] = self.directory(self.integer(entry) or 0, depth + 1)
        directory.end = position
        (directory.next,) = self._unpack(self._link, position)
        return directory

    def integer(self, entry: Entry | None) -> int | None:
        """The first integer of an entry, or None if there is none."""
        if entry is None or entry.kind not in _INTEGERS:
            return None
        return struct.unpack_from(self.order + _INTEGERS[entry.kind], entry.value)[0]

    def _unpack(self, codes: str, offset: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self.order + codes, self.data, offset)
        except struct.error as error:
            raise ValueError("a directory extends beyond the end of the data") from error


def write_directory(directory: Directory, order: str, offset: int) -> tuple[bytes, int]:
    """Serializes a directory and its children for a given offset in a file.

    Args:
        directory: `Directory` with its values in the byte order `order`.
        order: str, `<` or `>`.
        offset: int, the offset of the directory in the file, an even number.

    Returns:
        Tuple of the bytes, an even number of them, and the offset of the link to the next directory
        in the chain. The link is 0.
    """
    # The types of BigTIFF are not defined in other files.
    entries = {tag: entry for tag, entry in directory.entries.items() if entry.kind <= _LAST_KIND}
    tags = sorted(entries.keys() | directory.children.keys())
    end = offset + 2 + 12 * len(tags)
    table, after_table = struct.pack(order + "H", len(tags)), b""
    for tag in tags:
        position = end + 4 + len(after_table)
        if tag in directory.children:
            child, _ = write_directory(directory.children[tag], order, position)
            entry = Entry(_LONG, struct.pack(order + "L", position))
            after_table += child
        else:
            entry = entries[tag]
        value, count = entry.value, len(entry.value) // _SIZES[entry.kind]
        if len(value) > 4:
            after_table += value + bytes(len(value) % 2)
            value = struct.pack(order + "L", position)
        table += struct.pack(order + "HHL", tag, entry.kind, count) + value.ljust(4, b"\0")
    return table + bytes(4) + after_table, end


def make_exif(directory: Directory, order: str) -> bytes:
    """Makes an EXIF block from a directory."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    return header + write_directory(directory, order, 8)[0]


def orientation_of(exif: bytes) -> int:
    """The orientation in an EXIF block, 1 to 8; 1 if it contains none."""
    try:
        tiff = TiffReader(exif)
        value = tiff.integer(tiff.directory(tiff.first).entries.get(ORIENTATION))
    except ValueError:
        return 1
    return value if value is not None and 1 <= value <= 8 else 1


def turned_point(
    x: float, y: float, orientation: int, width: float, height: float
) -> tuple[float, float]:
    """Where a point of a stored image is once the image is upright.

    Args:
        x: float, from the left, from 0 to `width`.
        y: float, from the top, from 0 to `height`.
        orientation: int, 1 to 8, the EXIF orientation of the stored image.
        width: float, the width of the stored image.
        height: float, the height of the stored image.
    """
    if orientation in (2, 3, 7, 8):
        x = width - x
    if orientation in (3, 4, 6, 7):
        y = height - y
    return (y, x) if orientation >= 5 else (x, y)


def upright_exif(
    exif: bytes, height: int, width: int, channels: int = 3, orientation: int = 1
) -> bytes:
    """Adapts an EXIF block to the colored, upright photograph.

    The orientation becomes 1; size, position of the subject and number of channels are updated
    where the block contains them; and the thumbnail is removed, because it shows the original
    photograph. All values keep their positions.

    Args:
        exif: bytes of the block, without the prefix in a JPEG.
        height: int, the height of the upright photograph.
        width: int, the width of the upright photograph.
        channels: int, 3, or 4 with alpha. Defaults to `3`.
        orientation: int, 1 to 8, by which the stored pixels are turned. Defaults to `1`.

    Returns:
        Bytes of the adapted block.

    Raises:
        ValueError: the block is broken.
    """
    patched = bytearray(exif)
    tiff = TiffReader(patched)
    if tiff.is_big:
        raise ValueError("EXIF is no BigTIFF")
    directory = tiff.directory(tiff.first)
    details = directory.children.get(_EXIF_DIRECTORY, Directory())
    if directory.next:
        _remove_thumbnail(patched, tiff, directory)
    if ORIENTATION in directory.entries:
        _set_integer(patched, tiff.order, directory.entries[ORIENTATION], 1)
    for part in (directory, details):
        for tags, side in ((_WIDTHS, width), (_HEIGHTS, height)):
            for tag in part.entries.keys() & tags:
                # A wrong size is better than no EXIF.
                with contextlib.suppress(ValueError):
                    _set_integer(patched, tiff.order, part.entries[tag], side)
    for tag in details.entries.keys() & _SUBJECTS:
        _turn_subject(patched, tiff.order, details.entries[tag], orientation, height, width)
    # If parts of the block overlap, a change may have damaged another part: read it again.
    tiff = TiffReader(patched)
    directory = tiff.directory(tiff.first)
    for tag in _set_channels(patched, tiff, directory, channels):
        _remove_entry(patched, tiff.order, directory.begin, tag)
    tiff = TiffReader(patched)
    tiff.directory(tiff.first)
    return bytes(patched)


def without_pixel_description(exif: bytes) -> tuple[bytes, list[str]]:
    """Removes a description that says how a program stored gray pixels, such as OME-XML.

    Args:
        exif: bytes of the block, which `upright_exif` has returned.

    Returns:
        Tuple of the bytes of the block and a list of str, a note if more was removed than sizes.
    """
    tiff = TiffReader(exif)
    directory = tiff.directory(tiff.first)
    description = directory.entries.get(_DESCRIPTION)
    if not description or not _OF_PIXELS.match(description.value):
        return exif, []
    patched = bytearray(exif)
    _remove_entry(patched, tiff.order, directory.begin, _DESCRIPTION)
    if _SHAPE.match(description.value):
        return bytes(patched), []
    return bytes(patched), [
        "its ImageDescription, which says how the gray pixels are stored, is not copied"
    ]


def _set_channels(
    data: bytearray, tiff: TiffReader, directory: Directory, channels: int
) -> list[int]:
    """Sets the tags that say how many channels there are; returns those that do not fit."""
    wrong = []
    for tag, right in ((_SAMPLES, (channels,)), (_PHOTOMETRIC, (RGB, YCBCR))):
        entry = directory.entries.get(tag)
        if entry and tiff.integer(entry) not in right:
            try:
                _set_integer(data, tiff.order, entry, right[0])
            except ValueError:
                wrong.append(tag)
    bits = directory.entries.get(_BITS)
    if bits and len(bits.value) != channels * _SIZES[bits.kind]:
        wrong.append(_BITS)
    return wrong


def _remove_entry(data: bytearray, order: str, begin: int, tag: int) -> None:
    """Removes an entry of the directory at `begin`; those behind it and the link move up."""
    (count,) = struct.unpack_from(order + "H", data, begin)
    for position in range(begin + 2, begin + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", data, position)[0] == tag:
            end = begin + 2 + 12 * count + 4
            data[position:end] = data[position + 12 : end] + bytes(12)
            struct.pack_into(order + "H", data, begin, count - 1)
            return


def _turn_subject(
    data: bytearray, order: str, entry: Entry, orientation: int, height: int, width: int
) -> None:
    """Turns a point, a circle (a point and its diameter) or a rectangle (its center and sides)."""
    code = order + "H" * (len(entry.value) // 2)
    if entry.kind != _SHORT or not 2 <= len(code) - 1 <= 4:
        return
    x, y, *sides = struct.unpack(code, entry.value)
    if orientation >= 5:
        height, width, sides = width, height, sides[::-1]
    x, y = turned_point(x, y, orientation, width - 1, height - 1)
    data[entry.offset : entry.offset + len(entry.value)] = struct.pack(
        code, *(min(max(0, int(number)), 65535) for number in (x, y, *sides))
    )


def _set_integer(data: bytearray, order: str, entry: Entry, number: int) -> None:
    try:
        # Not `pack_into`, which writes zeros if the number does not fit.
        value = struct.pack(order + _INTEGERS[entry.kind], number)
    except (KeyError, struct.error) as error:
        raise ValueError(f"{number} cannot be stored in the type of its tag") from error
    data[entry.offset : entry.offset + len(value)] = value


def _remove_thumbnail(data: bytearray, tiff: TiffReader, directory: Directory) -> None:
    """Ends the chain after the first directory, and cuts off or overwrites the thumbnail."""
    struct.pack_into("4x", data, directory.end)
    try:
        entries = tiff.directory(directory.next).entries
    except ValueError:
        return
    begin, size = (tiff.integer(entries.get(tag)) for tag in (_THUMBNAIL_OFFSET, _THUMBNAIL_SIZE))
    if begin is None or size is None:
        return
    end = min(begin + size, len(data))
    if any(begin < used_end and used_begin < end for used_begin, used_end in _used(directory)):
        # Its offset is wrong: the thumbnail would overlap the directory.
        return
    if end == len(data):
        del data[begin:]
    else:
        data[begin:end] = bytes(end - begin)


def _used(directory: Directory) -> Iterator[tuple[int, int]]:
    """Yields the start and end of each part of a directory, and of the header of the file."""
    yield 0, 8
    yield directory.begin, directory.end + 4
    for entry in directory.entries.values():
        yield entry.offset, entry.offset + len(entry.value)
    for child in directory.children.values():
        yield from _used(child)
