"""EXIF, which is a small TIFF: read, set upright, and carried into another file.

A block of EXIF is patched in place wherever that is possible, because a maker's notes hold offsets
that nobody can correct: moving them breaks them. Only into and out of TIFF files, whose own
directories hold these tags, is it taken apart and put together again.

Reference: TIFF 6.0, section 2; Exif 2.32 (JEITA CP-3451), section 4.6.
"""

import contextlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

# What introduces EXIF in a JPEG.
EXIF_PREFIX = b"Exif\0\0"

ORIENTATION = 0x0112
EXIF_DIRECTORY = 0x8769
GPS_DIRECTORY = 0x8825
_INTEROPERABILITY_DIRECTORY = 0xA005
# The size, as telephones write it in the first directory, and cameras in that of EXIF.
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)

# The tags that point to other directories, which are carried along.
_CHILDREN = (EXIF_DIRECTORY, GPS_DIRECTORY, _INTEROPERABILITY_DIRECTORY)

# Bytes of one value of each of TIFF's kinds, BigTIFF's 64-bit ones included.
_KIND_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_KIND_SIZES |= {16: 8, 17: 8, 18: 8}
_SHORT, _LONG = 3, 4

# `struct`'s codes for an offset in a TIFF and in a BigTIFF.
_OFFSETS = ("L", "Q")

_LAST_KIND = 12

# A directory of EXIF holds one of interoperability.
_DEEPEST = 2

# More entries than any camera writes: what claims more is broken.
_MOST_ENTRIES = 4096


@dataclass(frozen=True)
class Entry:
    """One tag of a directory.

    Attributes:
        kind: int, TIFF's number of the value's type.
        count: int, how many values there are.
        value: bytes, the values in the byte order of the whole.
        place: int, where they stand.
    """

    kind: int
    count: int
    value: bytes
    place: int = 0


@dataclass
class Directory:
    """The tags of one image file directory (IFD).

    Attributes:
        entries: dict of int to `Entry`, without those that point to children.
        children: dict of int to `Directory`, by the tag that points to each.
        place: int, where it stands.
        next: int, where the next directory of the chain stands; 0 when there is none.
        next_place: int, where that number itself stands, which ends the directory.
    """

    entries: dict[int, Entry] = field(default_factory=dict)
    children: dict[int, "Directory"] = field(default_factory=dict)
    place: int = 0
    next: int = 0
    next_place: int = 0


@dataclass(frozen=True)
class Layout:
    """The byte order of a TIFF and where its first directory stands.

    Attributes:
        order: str, `<` or `>` as in `struct`.
        first: int, offset of the first directory.
        big: bool, BigTIFF with its 64-bit offsets.
    """

    order: str
    first: int
    big: bool = False


def read_layout(data: bytes) -> Layout:
    """Reads the header of a TIFF.

    Raises:
        ValueError: it is none.
    """
    orders = {b"II": "<", b"MM": ">"}
    order = orders.get(bytes(data[:2]))
    if order is None or len(data) < 8:
        raise ValueError("no header of a TIFF")
    (version,) = struct.unpack_from(order + "H", data, 2)
    if version == 42:
        return Layout(order, *struct.unpack_from(order + "L", data, 4))
    if version == 43 and len(data) >= 16:
        return Layout(order, *struct.unpack_from(order + "Q", data, 8), big=True)
    raise ValueError("no header of a TIFF")


def read_directory(data: bytes, layout: Layout, offset: int) -> Directory:
    """Reads the directory at `offset` with its children.

    Raises:
        ValueError: it is broken.
    """
    try:
        return _read_directory(data, layout, offset, depth=0)
    except struct.error as error:
        raise ValueError("a directory reaches beyond the end") from error


def write_directory(directory: Directory, order: str, offset: int) -> tuple[bytes, int]:
    """Puts a directory and its children together for a place in a file.

    Args:
        directory: its values in the byte order `order`; `next` is left 0.
        order: str, `<` or `>`.
        offset: int, where it shall stand, an even number.

    Returns:
        The bytes, an even number of them, and the offset of the number that points to the next
        directory of the chain.
    """
    # The kinds of BigTIFF mean nothing elsewhere.
    entries = {tag: entry for tag, entry in directory.entries.items() if entry.kind <= _LAST_KIND}
    tags = sorted(entries.keys() | directory.children.keys())
    table_size = 2 + 12 * len(tags) + 4
    table = [struct.pack(order + "H", len(tags))]
    behind = bytearray()
    for tag in tags:
        place = offset + table_size + len(behind)
        if tag in directory.children:
            child, _ = write_directory(directory.children[tag], order, place)
            table.append(struct.pack(order + "HHLL", tag, _LONG, 1, place))
            behind += child
            continue
        entry = entries[tag]
        if len(entry.value) <= 4:
            field_ = entry.value.ljust(4, b"\0")
        else:
            field_ = struct.pack(order + "L", place)
            behind += entry.value + b"\0" * (len(entry.value) % 2)
        table.append(struct.pack(order + "HHL", tag, entry.kind, entry.count) + field_)
    table.append(struct.pack(order + "L", 0))
    return b"".join(table) + bytes(behind), offset + table_size - 4


def make_exif(directory: Directory, order: str) -> bytes:
    """A block of EXIF out of a directory."""
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 8)
    return header + write_directory(directory, order, 8)[0]


def strip_prefix(exif: bytes) -> bytes:
    """A block of EXIF without the words that introduce it in a JPEG."""
    return exif.removeprefix(EXIF_PREFIX)


def orientation_of(exif: bytes) -> int:
    """The orientation that a block of EXIF tells, 1 to 8; 1 when it tells none."""
    try:
        layout = read_layout(exif)
        entry = read_directory(exif, layout, layout.first).entries.get(ORIENTATION)
        value = _number(exif, layout, entry) if entry else 1
    except ValueError:
        return 1
    return value if 1 <= value <= 8 else 1


def upright_exif(exif: bytes, height: int, width: int) -> bytes:
    """A block of EXIF for the same photograph, turned upright.

    The orientation becomes 1, the size is written where it stood, the thumbnail is taken away, as
    it shows the photograph before. Every other byte stays in its place.

    Args:
        exif: bytes, without the prefix of JPEG.
        height: int, of the photograph upright.
        width: int.

    Raises:
        ValueError: it is broken.
    """
    layout = read_layout(exif)
    directory = read_directory(exif, layout, layout.first)
    data = bytearray(exif)
    if directory.next:
        _remove_thumbnail(data, layout, directory)
    if ORIENTATION in directory.entries:
        _set_number(data, layout, directory.entries[ORIENTATION], 1)
    for place in (directory, directory.children.get(EXIF_DIRECTORY, Directory())):
        for tag, entry in place.entries.items():
            side = width if tag in _WIDTHS else height if tag in _HEIGHTS else None
            if side is not None:
                # Better a size that is wrong than no EXIF.
                with contextlib.suppress(ValueError):
                    _set_number(data, layout, entry, side)
    # Where things lie on top of each other, one change has made another.
    layout = read_layout(data)
    read_directory(data, layout, layout.first)
    return bytes(data)


def _read_directory(data: bytes, layout: Layout, offset: int, depth: int) -> Directory:
    count_format, entry_format = ("Q", "HHQ") if layout.big else ("H", "HHL")
    next_format = _OFFSETS[layout.big]
    inline = 8 if layout.big else 4
    if not 0 < offset < len(data):
        raise ValueError("a directory reaches beyond the end")
    (count,) = struct.unpack_from(layout.order + count_format, data, offset)
    if count > _MOST_ENTRIES:
        raise ValueError("a directory is broken")
    place = offset + struct.calcsize("=" + count_format)
    entry_size = struct.calcsize("=" + entry_format) + inline
    directory = Directory(place=offset)
    tried = set()
    for _ in range(count):
        tag, kind, number = struct.unpack_from(layout.order + entry_format, data, place)
        value_place = place + entry_size - inline
        size = _KIND_SIZES.get(kind, 0) * number
        if size > inline:
            (value_place,) = struct.unpack_from(layout.order + next_format, data, value_place)
        place += entry_size
        # A value that is cut off, or of no known kind, cannot be carried along.
        if not size or value_place + size > len(data) or tag in tried:
            continue
        tried.add(tag)
        entry = Entry(kind, number, bytes(data[value_place : value_place + size]), value_place)
        if tag not in _CHILDREN:
            directory.entries[tag] = entry
        elif depth < _DEEPEST:
            # One that is broken takes nothing else along.
            with contextlib.suppress(ValueError, struct.error):
                child = _number(data, layout, entry)
                directory.children[tag] = _read_directory(data, layout, child, depth + 1)
    directory.next_place = place
    (directory.next,) = struct.unpack_from(layout.order + next_format, data, place)
    return directory


def _number(data: bytes, layout: Layout, entry: Entry) -> int:
    return struct.unpack_from(layout.order + _number_format(entry), data, entry.place)[0]


def _set_number(data: bytearray, layout: Layout, entry: Entry, number: int) -> None:
    try:
        struct.pack_into(layout.order + _number_format(entry), data, entry.place, number)
    except struct.error as error:
        raise ValueError(f"{number} does not fit where it belongs") from error


def _number_format(entry: Entry) -> str:
    formats = {1: "B", _SHORT: "H", _LONG: "L", 8: "h", 9: "l", 13: "L", 16: "Q", 18: "Q"}
    if entry.kind not in formats:
        raise ValueError("a number is not written as one")
    return formats[entry.kind]


def _remove_thumbnail(data: bytearray, layout: Layout, directory: Directory) -> None:
    """Cuts the chain behind the first directory, and the image's bytes where they come last."""
    struct.pack_into(layout.order + _OFFSETS[layout.big], data, directory.next_place, 0)
    try:
        thumbnail = read_directory(data, layout, directory.next)
        begin, length = (_number(data, layout, thumbnail.entries[tag]) for tag in (0x0201, 0x0202))
    except (ValueError, KeyError):
        return
    end = min(begin + length, len(data))
    if any(begin < used_end and used_begin < end for used_begin, used_end in _used(directory)):
        # It lies about its place.
        return
    if end == len(data):
        del data[begin:]
    else:
        data[begin:end] = bytes(end - begin)


def _used(directory: Directory) -> Iterator[tuple[int, int]]:
    """Begins and ends of all that belongs to a directory, the header of the file included."""
    yield 0, 8
    yield directory.place, directory.next_place + 4
    for entry in directory.entries.values():
        yield entry.place, entry.place + len(entry.value)
    for child in directory.children.values():
        yield from _used(child)


def without(directory: Directory, tags: Iterable[int]) -> Directory:
    """The directory without some tags, alone at the end of its chain."""
    tags = frozenset(tags)
    entries = {tag: entry for tag, entry in directory.entries.items() if tag not in tags}
    return Directory(entries, dict(directory.children))
