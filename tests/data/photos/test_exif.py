"""EXIF is patched in place, so that Pillow reads an upright photograph."""

import contextlib
import io
import struct
import time

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image

from data.photos.exif import (
    EXIF_DIRECTORY,
    GPS_DIRECTORY,
    ORIENTATION,
    Directory,
    Entry,
    make_exif,
    orientation_of,
    read_directory,
    read_layout,
    strip_prefix,
    upright_exif,
    without,
    write_directory,
)
from data.photos.metadata import descriptive_tags

ORDERS = {"II": "<", "MM": ">"}
MAKE, WIDTH, HEIGHT, MAKER_NOTE = 271, 0xA002, 0xA003, 0x927C
IFD = ExifTags.IFD

# Like the notes of a camera: offsets, zeros, and an odd number of bytes.
NOTES = b"Nikon\0\2\x10" + bytes(range(256)) + b"\0\0\1"
GPS = {1: "N", 2: (48.0, 12.0, 30.5), 3: "E", 4: (16.0, 22.0, 15.25)}
IMAGE = b"\xff\xd8 a small gray image \xff\xd9"


def blob(order="II", orientation=6, width=4000, height=3000):
    """EXIF as Pillow writes it, without the prefix of JPEG."""
    exif = Image.Exif()
    exif.endian = ORDERS[order]
    exif[MAKE] = "Nikon"
    if orientation is not None:
        exif[ORIENTATION] = orientation
    exif[IFD.Exif] = {WIDTH: width, HEIGHT: height, MAKER_NOTE: NOTES}
    exif[IFD.GPSInfo] = GPS
    return exif.tobytes().removeprefix(b"Exif\0\0")


def with_thumbnail(exif, order="II", behind=b""):
    """Appends a thumbnail, followed by the bytes `behind`."""
    order = ORDERS[order]
    (count,) = struct.unpack_from(order + "H", exif, 8)
    data = bytearray(exif + bytes(len(exif) % 2))
    struct.pack_into(order + "L", data, 10 + 12 * count, len(data))
    offset = len(data) + 2 + 12 * 3 + 4
    data += struct.pack(order + "H", 3)
    data += struct.pack(order + "HHLHH", 259, 3, 1, 6, 0)
    data += struct.pack(order + "HHLL", 0x0201, 4, 1, offset)
    data += struct.pack(order + "HHLL", 0x0202, 4, 1, len(IMAGE))
    return bytes(data) + bytes(4) + IMAGE + behind


def read(exif):
    """EXIF as Pillow reads it."""
    parsed = Image.Exif()
    parsed.load(exif)
    return parsed


def broken_blobs(count, seed=0):
    """Yields blobs that are truncated, contain random bytes, or both."""
    generator = np.random.default_rng(seed)
    whole = [blob(), blob("MM"), with_thumbnail(blob()), with_thumbnail(blob("MM"), "MM", b"more")]
    for number in range(count):
        data = bytearray(whole[number % len(whole)])
        if number % 3 != 1:
            # The first bytes contain counts and offsets.
            end = generator.choice([64, len(data)])
            for position in generator.integers(0, end, generator.integers(1, 6)):
                data[position] = generator.integers(256)
        if number % 3 != 0:
            del data[generator.integers(len(data)) :]
        yield bytes(data)


# --- upright -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_equals_what_pillow_writes_for_the_upright_photograph(order, orientation):
    upright = upright_exif(blob(order, orientation), height=4000, width=3000)
    assert upright == blob(order, 1, width=3000, height=4000)


@pytest.mark.parametrize("order", ORDERS)
def test_pillow_reads_the_remaining_tags(order):
    exif = read(upright_exif(blob(order), height=4000, width=3000))
    assert exif[ORIENTATION] == 1
    assert exif[MAKE] == "Nikon"
    assert exif.get_ifd(IFD.Exif) == {WIDTH: 3000, HEIGHT: 4000, MAKER_NOTE: NOTES}
    assert exif.get_ifd(IFD.GPSInfo) == GPS


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("width", "height"), [(70000, 3000), (4000, 70000), (80000, 90000)])
def test_size_is_written_in_its_original_type(order, width, height):
    before = blob(order, width=width, height=height)
    upright = upright_exif(before, height=20, width=30)
    details = read(upright).get_ifd(IFD.Exif)
    assert (details[WIDTH], details[HEIGHT]) == (30, 20)
    assert len(upright) == len(before)
    changed = np.flatnonzero(np.frombuffer(upright, "u1") != np.frombuffer(before, "u1"))
    # The orientation, and at most four bytes for each side.
    assert len(changed) <= 9


@pytest.mark.parametrize("order", ORDERS)
def test_size_in_the_first_directory_is_updated_too(order):
    # Phones and Photoshop write it there.
    def exif_of(width, height):
        exif = Image.Exif()
        exif.endian = ORDERS[order]
        exif[ExifTags.Base.ImageWidth], exif[ExifTags.Base.ImageLength] = width, height
        return exif.tobytes().removeprefix(b"Exif\0\0")

    assert upright_exif(exif_of(4000, 3000), height=4000, width=3000) == exif_of(3000, 4000)


def test_missing_tags_are_not_added():
    exif = Image.Exif()
    exif[MAKE] = "Nikon"
    before = exif.tobytes().removeprefix(b"Exif\0\0")
    assert upright_exif(before, height=20, width=30) == before


def test_side_that_does_not_fit_its_type_raises_nothing_but_a_value_error():
    with contextlib.suppress(ValueError):
        upright_exif(blob(width=4000), height=20, width=70000)


# --- the thumbnail -----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_thumbnail_at_the_end_is_cut_off(order):
    before = with_thumbnail(blob(order), order)
    assert read(before).get_ifd(IFD.IFD1)[0x0202] == len(IMAGE)
    upright = upright_exif(before, height=4000, width=3000)
    assert read(upright).get_ifd(IFD.IFD1) == {}
    assert IMAGE not in upright
    assert len(upright) == len(before) - len(IMAGE)
    expected = blob(order, 1, width=3000, height=4000)
    assert upright[: len(expected)] == expected


@pytest.mark.parametrize("order", ORDERS)
def test_thumbnail_in_the_middle_is_overwritten_and_nothing_moves(order):
    before = with_thumbnail(blob(order), order, behind=NOTES)
    upright = upright_exif(before, height=4000, width=3000)
    assert read(upright).get_ifd(IFD.IFD1) == {}
    assert len(upright) == len(before)
    assert upright.endswith(bytes(len(IMAGE)) + NOTES)
    expected = blob(order, 1, width=3000, height=4000)
    assert upright[: len(expected)] == expected


@pytest.mark.parametrize("offset", [8, 40])
@pytest.mark.parametrize("length", [20, 10**6])
def test_thumbnail_with_a_wrong_offset_removes_nothing_else(offset, length):
    before = bytearray(with_thumbnail(blob()))
    entry = before.index(struct.pack("<HHL", 0x0201, 4, 1))
    struct.pack_into("<L", before, entry + 8, offset)
    struct.pack_into("<L", before, entry + 12 + 8, length)
    exif = read(upright_exif(bytes(before), height=4000, width=3000))
    assert exif[MAKE] == "Nikon"
    assert exif.get_ifd(IFD.Exif)[MAKER_NOTE] == NOTES
    assert exif.get_ifd(IFD.GPSInfo) == GPS


# --- broken EXIF -------------------------------------------------------------------------------


@pytest.mark.parametrize("exif", [b"", b"II", b"garbage!" * 9, b"II*\0", b"MM*\0\0\0\0\x08"])
def test_garbage_is_a_value_error(exif):
    with pytest.raises(ValueError, match=r"TIFF|beyond the end"):
        upright_exif(exif, height=20, width=30)


@pytest.mark.parametrize("length", [9, 20, 60])
def test_truncated_directory_is_a_value_error(length):
    with pytest.raises(ValueError, match="beyond the end"):
        upright_exif(blob()[:length], height=20, width=30)


def test_broken_blobs_raise_nothing_but_value_errors():
    for exif in broken_blobs(2000):
        with contextlib.suppress(ValueError):
            upright_exif(exif, height=20, width=30)
        with contextlib.suppress(ValueError):
            descriptive_tags(exif)
        assert 1 <= orientation_of(exif) <= 8


def test_upright_exif_can_be_taken_apart():
    # The TIFF writer takes upright EXIF apart; an error there would prevent saving the photograph.
    for exif in broken_blobs(2000, seed=1):
        try:
            upright = upright_exif(exif, height=20, width=30)
        except ValueError:
            continue
        descriptive_tags(upright)


@pytest.mark.parametrize("missing", [0, 4, 10])
def test_directory_that_contains_itself_many_times_is_read_quickly(missing):
    pointers = struct.pack("<HHLL", EXIF_DIRECTORY, 4, 1, 8) * 150
    exif = b"II*\0" + struct.pack("<LH", 8, 150) + pointers + bytes(4)
    begin = time.monotonic()
    with contextlib.suppress(ValueError):
        upright_exif(exif[: len(exif) - missing], height=20, width=30)
    assert time.monotonic() - begin < 1.0


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read(order, orientation):
    assert orientation_of(blob(order, orientation)) == orientation


@pytest.mark.parametrize("exif", [b"", b"garbage", blob(orientation=None), blob()[:50]])
def test_missing_orientation_is_1(exif):
    assert orientation_of(exif) == 1


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_invalid_orientation_is_1(orientation):
    assert orientation_of(blob(orientation=orientation)) == 1


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ORDERS.values())
def test_tiff_of_every_layout_is_read_as_tifffile_reads_it(order, big):
    file = io.BytesIO()
    options = {"rowsperstrip": 4, "metadata": None}
    with tifffile.TiffWriter(file, bigtiff=big, byteorder=order) as writer:
        for text in ("first", "second"):
            writer.write(np.zeros((40, 3), "uint8"), **options, description=text)
    data = file.getvalue()
    layout = read_layout(data)
    assert (layout.order, layout.big) == (order, big)
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        first, second = tiff.pages
        directory = read_directory(data, layout, layout.first)
        assert directory.entries.keys() == {tag.code for tag in first.tags}
        for tag in first.tags:
            entry = directory.entries[tag.code]
            assert (entry.kind, entry.count) == (tag.dtype, tag.count)
        assert directory.entries[270].value.rstrip(b"\0") == b"first"
        offsets = directory.entries[273]
        code = {4: "L", 16: "Q"}[offsets.kind]
        assert struct.unpack(f"{order}{offsets.count}{code}", offsets.value) == first.dataoffsets
        assert directory.next == second.offset


def test_prefix_is_stripped_once():
    assert strip_prefix(b"Exif\0\0" + blob()) == blob()
    assert strip_prefix(blob()) == blob()


def test_without_removes_tags_and_the_rest_of_the_chain():
    directory = Directory({1: Entry(3, 1, b"\1\0"), 2: Entry(3, 1, b"\2\0")}, next=8)
    left = without(directory, [2, 3])
    assert left == Directory({1: Entry(3, 1, b"\1\0")})
    assert directory.entries.keys() == {1, 2}


# --- writing -----------------------------------------------------------------------------------


def directory_of(order):
    """A directory with children, and with inline and other values of odd and even sizes."""
    numbers = struct.pack(order + "8L", 48, 1, 12, 1, 61, 2, 0, 1)
    details = Directory(
        {
            WIDTH: Entry(3, 1, struct.pack(order + "H", 4000)),
            HEIGHT: Entry(4, 1, struct.pack(order + "L", 3000)),
            MAKER_NOTE: Entry(7, len(NOTES), NOTES),
        },
        {IFD.Interop: Directory({1: Entry(2, 4, b"R98\0")})},
    )
    gps = Directory({1: Entry(2, 2, b"N\0"), 2: Entry(5, 3, numbers[:24])})
    return Directory(
        {
            MAKE: Entry(2, 5, b"Leic\0"),
            272: Entry(2, 3, b"M3\0"),
            270: Entry(2, 12, b"Grandmother\0"),
            ORIENTATION: Entry(3, 1, struct.pack(order + "H", 6)),
        },
        {GPS_DIRECTORY: gps, EXIF_DIRECTORY: details},
    )


def without_offsets(directory):
    """The tags and values of a directory, without their offsets."""
    entries = {tag: (e.kind, e.count, e.value) for tag, e in directory.entries.items()}
    return entries, {tag: without_offsets(child) for tag, child in directory.children.items()}


@pytest.mark.parametrize("order", ORDERS)
def test_exif_made_from_a_directory_is_read_by_pillow(order):
    exif = read(make_exif(directory_of(ORDERS[order]), ORDERS[order]))
    assert exif.endian == ORDERS[order]
    assert dict(exif) | {IFD.Exif: None, IFD.GPSInfo: None} == {
        **{MAKE: "Leic", 272: "M3", 270: "Grandmother", ORIENTATION: 6},
        **{IFD.Exif: None, IFD.GPSInfo: None},
    }
    details = {WIDTH: 4000, HEIGHT: 3000, MAKER_NOTE: NOTES}
    assert {tag: exif.get_ifd(IFD.Exif)[tag] for tag in details} == details
    assert exif.get_ifd(IFD.Interop) == {1: "R98"}
    assert exif.get_ifd(IFD.GPSInfo) == {1: "N", 2: (48.0, 12.0, 30.5)}


@pytest.mark.parametrize("order", ORDERS)
def test_exif_is_rebuilt_unchanged_at_another_offset(order):
    before = make_exif(directory_of(ORDERS[order]), ORDERS[order])
    # The directory moves in the file, so that every offset changes.
    layout = read_layout(before)
    moved = write_directory(read_directory(before, layout, 8), layout.order, 40)[0]
    after = before[:4] + struct.pack(layout.order + "L", 40) + bytes(32) + moved
    for child in (IFD.Exif, IFD.GPSInfo, IFD.Interop):
        expected = read(before).get_ifd(child)
        found = read(after).get_ifd(child)
        expected.pop(IFD.Interop, None)
        found.pop(IFD.Interop, None)
        assert found == expected
        assert found
    assert read(after)[270] == "Grandmother"


@pytest.mark.parametrize("order", ORDERS)
def test_exif_of_pillow_is_rebuilt_unchanged(order):
    before = blob(order)
    layout = read_layout(before)
    directory = read_directory(before, layout, layout.first)
    again = make_exif(directory, layout.order)
    layout = read_layout(again)
    assert without_offsets(read_directory(again, layout, 8)) == without_offsets(directory)
    assert dict(read(again)).keys() == dict(read(before)).keys()
    for child in (IFD.Exif, IFD.GPSInfo):
        assert read(again).get_ifd(child) == read(before).get_ifd(child)


@pytest.mark.parametrize("order", ORDERS)
def test_directories_are_linked_at_the_returned_offset(order):
    order = ORDERS[order]
    first, link = write_directory(directory_of(order), order, 8)
    assert len(first) % 2 == 0
    second, _ = write_directory(Directory({270: Entry(2, 6, b"small\0")}), order, 8 + len(first))
    exif = bytearray(make_exif(directory_of(order), order)[:8] + first + second)
    assert struct.unpack_from(order + "L", exif, link) == (0,)
    struct.pack_into(order + "L", exif, link, 8 + len(first))
    assert read(bytes(exif)).get_ifd(IFD.IFD1) == {270: "small"}
    assert read(bytes(exif)).get_ifd(IFD.Exif)[MAKER_NOTE] == NOTES


def test_values_have_even_offsets_and_tags_are_sorted():
    exif = make_exif(directory_of("<"), "<")
    (count,) = struct.unpack_from("<H", exif, 8)
    rows = [struct.unpack_from("<HHLL", exif, 10 + 12 * row) for row in range(count)]
    assert [tag for tag, *_ in rows] == sorted(tag for tag, *_ in rows)
    # These are texts longer than the four bytes in the table, and directories.
    offsets = [offset for tag, kind, size, offset in rows if size > 4 or tag > 0x8000]
    assert len(offsets) == 4
    assert all(offset % 2 == 0 for offset in offsets)


def test_orientation_may_be_stored_as_a_byte():
    exif = b"II*\0" + struct.pack("<LHHHLLL", 8, 1, 0x0112, 1, 1, 6, 0)
    assert orientation_of(exif) == 6
    assert orientation_of(upright_exif(exif, height=20, width=30)) == 1
