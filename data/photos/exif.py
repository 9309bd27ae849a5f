"""Reads EXIF, which is a small TIFF, and adapts it to an upright photograph or another file.

An EXIF block is patched in place where possible, because maker notes contain offsets that cannot be
corrected: moving the notes breaks them. A block is taken apart and rebuilt only for TIFF files,
whose own directories contain these tags.

Reference: TIFF 6.0, section 2; Exif 2.32 (JEITA CP-3451), section 4.6.
"""

import contextlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# The prefix of EXIF in a JPEG.
EXIF_PREFIX = b"Exif\0\0"

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
GPS_DIRECTORY = 0x8825
_INTEROPERABILITY_DIRECTORY = 0xA005
# The size of the image. Phones write it in the first directory, cameras in the EXIF directory.
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)

# The tags that point to other directories, which are copied too.
_CHILDREN = (EXIF_DIRECTORY, GPS_DIRECTORY, _INTEROPERABILITY_DIRECTORY)

# The bytes of one value of each TIFF type, including the 64-bit types of BigTIFF.
_KIND_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_KIND_SIZES |= {16: 8, 17: 8, 18: 8}
_SHORT, _LONG = 3, 4

# The `struct` codes of an offset in a TIFF and in a BigTIFF.
_OFFSETS = ("L", "Q")

_LAST_KIND = 12

# The EXIF directory, the first level, contains the interoperability directory.
_DEEPEST = 2

# No camera writes more entries; a directory that claims more is broken.
_MOST_ENTRIES = 4096


@dataclass(frozen=True)
class Entry:
    """One tag of a directory.

    Attributes:
        kind: int, the TIFF number of the type of the values.
        count: int, the number of values.
        value: bytes, the values in the byte order of the file.
        offset: int, the offset of the values. Defaults to `0`.
    """

    kind: int
    count: int
    value: bytes
    offset: int = 0


@dataclass
class Directory:
    """The tags of one image file directory (IFD).

    Attributes:
        entries: dict of int to `Entry`, the tags without those that point to children.
        children: dict of int to `Directory`, by the tag that points to each.
        offset: int, the offset of the directory.
        next: int, the offset of the next directory in the chain; 0 if there is none.
        next_offset: int, the offset at which `next` is stored, at the end of the directory.
    """

    entries: dict[int, Entry] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    offset: int = 0
    next: int = 0
    next_offset: int = 0


@dataclass(frozen=True)
class Layout:
    """The byte order of a TIFF and the offset of its first directory.

    Attributes:
        order: str, `<` or `>` as in `struct`.
        first: int, the offset of the first directory.
        big: bool, whether the file is a BigTIFF, which has 64-bit offsets. Defaults to `False`.
    """

    order: str
    first: int
    big: bool = False


def read_layout(data: bytes) -> Layout:
    """Reads the header of a TIFF.

    Raises:
        ValueError: the data is not a TIFF.
    """
    orders = {b"II": "<", b"MM": ">"}
    order = orders.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        raise ValueError("it does not start with a TIFF header")
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == 42:
        return Layout(order, *struct.unpack_from(order + "L", data, 4))
    if version == 43 and len(data) >= 16:
        return Layout(order, *struct.unpack_from(order + "Q", data, 8), big=True)
    raise ValueError("it does not start with a TIFF header")


def read_directory(data: bytes, layout: Layout, offset: int) -> Directory:
    """Reads the directory at `offset` with its children.

    Raises:
        ValueError: the directory is broken.
    """
    try:
        return _read_directory(data, layout, offset, depth=0)
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
    table_size = 2 + 12 * len(tags) + 4
    table = [struct.pack(order + "H", len(tags))]
    after_table = bytearray()
    for tag in tags:
        position = offset + table_size + len(after_table)
        if tag in directory.children:
            child, _ = write_directory(directory.children[tag], order, position)
            table.append(struct.pack(order + "HHLL", tag, _LONG, 1, position))
            after_table += child
            continue
        entry = entries[tag]
        if len(entry.value) <= 4:
            value_or_offset = entry.value.ljust(4, b"\0")
        else:
            value_or_offset = struct.pack(order + "L", position)
            after_table += entry.value + b"\0" * (len(entry.value) % 2)
        table.append(struct.pack(order + "HHL", tag, entry.kind, entry.count) + value_or_offset)
    table.append(struct.pack(order + "L", 0))
    return b"".join(table) + bytes(after_table), offset + table_size - 4


def make_exif(directory: Directory, order: str) -> bytes:
    """Makes an EXIF block from a directory."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    return header + write_directory(directory, order, 8)[0]


def strip_prefix(exif: bytes) -> bytes:
    """Removes the prefix that an EXIF block has in a JPEG."""
    return exif.removeprefix(EXIF_PREFIX)


def orientation_of(exif: bytes) -> int:
    """The orientation in an EXIF block, 1 to 8; 1 if it contains none."""
    try:
        layout = read_layout(exif)
        entry = read_directory(exif, layout, layout.first).entries.get(ORIENTATION)
        value = _number(exif, layout, entry) if entry else 1
    except ValueError:
        return 1
    return value if 1 <= value <= 8 else 1


def upright_exif(exif: bytes, height: int, width: int) -> bytes:
    """Adapts an EXIF block to the colored, upright photograph.

    The orientation becomes 1, the size is updated where the block contains it, and the thumbnail is
    removed, because it shows the original photograph. All other bytes keep their positions.

    Args:
        exif: bytes of the block, without the prefix in a JPEG.
        height: int, the height of the upright photograph.
        width: int, the width of the upright photograph.

    Returns:
        Bytes of the adapted block.

    Raises:
        ValueError: the block is broken.
    """
    layout = read_layout(exif)
    directory = read_directory(exif, layout, layout.first)
    data = bytearray(exif)
    if directory.next:
        _remove_thumbnail(data, layout, directory)
    if ORIENTATION in directory.entries:
        _set_number(data, layout, directory.entries[ORIENTATION], 1)
    for part in (directory, directory.children.get(EXIF_DIRECTORY, Directory())):
        for tag, entry in part.entries.items():
            side = width if tag in _WIDTHS else height if tag in _HEIGHTS else None
            if side is not None:
                # A wrong size is better than no EXIF.
                with contextlib.suppress(ValueError):
                    _set_number(data, layout, entry, side)
    # If parts of the block overlap, a change may have damaged another part: read it again.
    layout = read_layout(data)
    read_directory(data, layout, layout.first)
    return bytes(data)


def _read_directory(data: bytes, layout: Layout, offset: int, depth: int) -> Directory:
    count_format, entry_format = ("Q", "HHQ") if layout.big else ("H", "HHL")
    next_format = _OFFSETS[layout.big]
    inline = 8 if layout.big else 4
    if not 0 < offset < len(data):
        raise ValueError("a directory extends beyond the end of the data")
    (count,) = struct.unpack_from(layout.order + count_format, data, offset)
    if count > _MOST_ENTRIES:
        raise ValueError("a directory is broken")
    position = offset + struct.calcsize("=" + count_format)
    entry_size = struct.calcsize("=" + entry_format) + inline
    directory = Directory(offset=offset)
    seen = set()
    for _ in range(count):
        tag, kind, number = struct.unpack_from(layout.order + entry_format, data, position)
        value_offset = position + entry_size - inline
        size = _KIND_SIZES.get(kind, 0) * number
        if size > inline:
            (value_offset,) = struct.unpack_from(layout.order + next_format, data, value_offset)
        position += entry_size
        # A value that is truncated or of an unknown type cannot be copied.
        if not size or value_offset + size > len(data) or tag in seen:
            continue
        seen.add(tag)
        entry = Entry(kind, number, bytes(data[value_offset : value_offset + size]), value_offset)
        if tag not in _CHILDREN:
            directory.entries[tag] = entry
        elif depth < _DEEPEST:
            # A broken child does not make the whole directory broken.
            with contextlib.suppress(ValueError, struct.error):
                child = _number(data, layout, entry)
                directory.children[tag] = _read_directory(data, layout, child, depth + 1)
    directory.next_offset = position
    (directory.next,) = struct.unpack_from(layout.order + next_format, data, position)
    return directory


def _number(data: bytes, layout: Layout, entry: Entry) -> int:
    return struct.unpack_from(layout.order + _number_format(entry), data, entry.offset)[0]


def _set_number(data: bytearray, layout: Layout, entry: Entry, number: int) -> None:
    try:
        struct.pack_into(layout.order + _number_format(entry), data, entry.offset, number)
    except struct.error as error:
        raise ValueError(f"{number} does not fit into the type of its tag") from error


def _number_format(entry: Entry) -> str:
    formats = {1: "B", _SHORT: "H", _LONG: "L", 8: "h", 9: "l", 13: "L", 16: "Q", 18: "Q"}
    if entry.kind not in formats:
        raise ValueError("a number is not stored as an integer")
    return formats[entry.kind]


def _remove_thumbnail(data: bytearray, layout: Layout, directory: Directory) -> None:
    """Ends the chain after the first directory, and cuts off or overwrites the thumbnail."""
    struct.pack_into(layout.order + _OFFSETS[layout.big], data, directory.next_offset, 0)
    try:
        thumbnail = read_directory(data, layout, directory.next)
        begin, length = (_number(data, layout, thumbnail.entries[tag]) for tag in (0x0201, 0x0202))
    except (ValueError, KeyError):
        return
    end = min(begin + length, len(data))
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
    yield directory.offset, directory.next_offset + 4
    for entry in directory.entries.values():
        yield entry.offset, entry.offset + len(entry.value)
    for child in directory.children.values():
        yield from _used(child)


def without(directory: Directory, tags: Iterable[int]) -> Directory:
    """A copy of a directory without some tags and without a next directory."""
    tags = frozenset(tags)
    entries = {tag: entry for tag, entry in directory.entries.items() if tag not in tags}
    return Directory(entries, dict(directory.children))
