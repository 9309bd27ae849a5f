"""EXIF is patched in place, so that Pillow reads an upright photograph."""

import contextlib
import io
import struct
import time

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageOps

from data.photos.exif import (
    Directory,
    Entry,
    TiffReader,
    make_exif,
    orientation_of,
    turned_point,
    upright_exif,
    without_pixel_description,
    write_directory,
)
from tests.data.photos.samples import (
    DESCRIPTION,
    EXIF,
    GPS,
    GPS_INFO,
    MAKE,
    NOTES,
    ORDERS,
    ORIENTATION,
    exif_of,
    parsed,
)

WIDTH, HEIGHT, MAKER_NOTE = 0xA002, 0xA003, 0x927C
IMAGE = b"\xff\xd8 a small gray image \xff\xd9"


def blob(order="<", orientation=6, width=4000, height=3000):
    return exif_of(order, orientation, width, height)


def with_thumbnail(exif, order="<", behind=b""):
    """Appends a thumbnail, followed by the bytes `behind`."""
    (count,) = struct.unpack_from(order + "H", exif, 8)
    data = bytearray(exif + bytes(len(exif) % 2))
    struct.pack_into(order + "L", data, 10 + 12 * count, len(data))
    offset = len(data) + 2 + 12 * 3 + 4
    data += struct.pack(order + "H", 3)
    data += struct.pack(order + "HHLHH", 259, 3, 1, 6, 0)
    data += struct.pack(order + "HHLL", 0x0201, 4, 1, offset)
    data += struct.pack(order + "HHLL", 0x0202, 4, 1, len(IMAGE))
    return bytes(data) + bytes(4) + IMAGE + behind


def first_of(exif):
    tiff = TiffReader(exif)
    return tiff.directory(tiff.first)


def broken_blobs(count, seed=0):
    """Yields blobs that are truncated, contain random bytes, or both."""
    generator = np.random.default_rng(seed)
    whole = [blob(), blob(">"), with_thumbnail(blob()), with_thumbnail(blob(">"), ">", b"more")]
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


@ORDERS
@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_equals_what_pillow_writes_for_the_upright_photograph(order, orientation):
    assert orientation_of(blob(order, orientation)) == orientation
    upright = upright_exif(blob(order, orientation), height=4000, width=3000)
    assert upright == blob(order, 1, width=3000, height=4000)


@ORDERS
@pytest.mark.parametrize(("width", "height"), [(70000, 3000), (4000, 70000), (80000, 90000)])
def test_size_is_written_in_its_original_type(order, width, height):
    before = blob(order, width=width, height=height)
    upright = upright_exif(before, height=20, width=30)
    details = parsed(upright).get_ifd(EXIF)
    assert (details[WIDTH], details[HEIGHT]) == (30, 20)
    assert len(upright) == len(before)
    changed = np.flatnonzero(np.frombuffer(upright, "u1") != np.frombuffer(before, "u1"))
    # The orientation, and at most four bytes for each side.
    assert len(changed) <= 9


@ORDERS
def test_size_in_the_first_directory_is_updated_too(order):
    # Phones and Photoshop write it there.
    before, after = (
        exif_of(order, width=width, height=height, ImageWidth=width, ImageLength=height)
        for width, height in ((4000, 3000), (3000, 4000))
    )
    assert upright_exif(before, height=4000, width=3000) == after


def test_missing_tags_are_not_added():
    exif = Image.Exif()
    exif[MAKE] = "Nikon"
    before = exif.tobytes().removeprefix(b"Exif\0\0")
    assert upright_exif(before, height=20, width=30) == before


def test_side_that_does_not_fit_its_type_is_not_changed():
    details = parsed(upright_exif(blob(width=4000), height=20, width=70000)).get_ifd(EXIF)
    assert (details[WIDTH], details[HEIGHT]) == (4000, 20)


def test_orientation_may_be_stored_as_a_byte():
    exif = b"II*\0" + struct.pack("<LHHHLLL", 8, 1, 0x0112, 1, 1, 6, 0)
    assert orientation_of(exif) == 6
    assert orientation_of(upright_exif(exif, height=20, width=30)) == 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_point_turns_with_the_pixels(orientation):
    pixels = np.zeros((20, 30), "uint8")
    pixels[3, 5] = 255
    image = Image.fromarray(pixels)
    image.getexif()[ORIENTATION] = orientation
    [[y, x]] = np.argwhere(np.asarray(ImageOps.exif_transpose(image)))
    assert turned_point(5, 3, orientation, 30 - 1, 20 - 1) == (x, y)


@ORDERS
@pytest.mark.parametrize(
    ("subject", "expected"),
    [((5, 3), (16, 5)), ((5, 3, 8), (16, 5, 8)), ((5, 3, 8, 2), (16, 5, 2, 8))],
)
def test_position_of_the_subject_turns(order, subject, expected):
    exif = Image.Exif()
    exif.endian = order
    exif[EXIF] = {0x9214: subject}
    before = exif.tobytes().removeprefix(b"Exif\0\0")
    upright = upright_exif(before, height=30, width=20, orientation=6)
    assert parsed(upright).get_ifd(EXIF)[0x9214] == expected


@ORDERS
@pytest.mark.parametrize(
    ("stored", "channels", "expected"),
    [
        ({"BitsPerSample": 8, "SamplesPerPixel": 1, "PhotometricInterpretation": 1}, 3, (None, 2)),
        (
            {"BitsPerSample": (8,) * 4, "SamplesPerPixel": 4, "PhotometricInterpretation": 5},
            3,
            (None, 2),
        ),
        (
            {"BitsPerSample": (8,) * 3, "SamplesPerPixel": 3, "PhotometricInterpretation": 6},
            3,
            ((8, 8, 8), 6),
        ),
        ({"BitsPerSample": 8, "SamplesPerPixel": 2, "PhotometricInterpretation": 1}, 4, (None, 2)),
        ({}, 3, (None, None)),
    ],
)
def test_what_says_gray_is_updated_or_removed(order, stored, channels, expected):
    upright = parsed(upright_exif(exif_of(order, **stored), 20, 30, channels))
    found = [upright.get(tag) for tag in (258, 262, 277)]
    assert found == [*expected, channels if stored else None]
    assert upright[MAKE] == "Nikon"
    assert upright.get_ifd(EXIF)[MAKER_NOTE] == NOTES
    assert upright.get_ifd(GPS_INFO) == GPS


@ORDERS
@pytest.mark.parametrize(
    ("text", "is_kept", "is_noted"),
    [
        ('{"shape": [20, 30]}', False, False),
        ('{"shape": [2, 20, 30], "axes": "ZYX"}', False, False),
        ("shape=(20, 30)", False, False),
        ('{"shape": [20, 30], "name": "Mary"}', False, True),
        ("ImageJ=1.11a\nimages=1\nunit=micron", False, True),
        ('<?xml version="1.0"?><!-- Warning --><OME xmlns="http://www.openmicros', False, True),
        ("<ome:OME xmlns:ome=", False, True),
        ("OME, in the garden", True, False),
        ("Grandmother's <shape>", True, False),
    ],
)
def test_description_of_gray_pixels_is_removed(order, text, is_kept, is_noted):
    before = exif_of(order, ImageDescription=text)
    after, notes = without_pixel_description(before)
    assert parsed(after).get(DESCRIPTION) == (text if is_kept else None)
    assert len(notes) == is_noted
    assert parsed(after)[MAKE] == "Nikon"
    assert parsed(after).get_ifd(EXIF)[MAKER_NOTE] == NOTES
    assert parsed(after).get_ifd(GPS_INFO) == GPS


@pytest.mark.parametrize("exif", [b"", b"garbage", blob(orientation=None), blob()[:50]])
def test_missing_orientation_is_1(exif):
    assert orientation_of(exif) == 1


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_invalid_orientation_is_1(orientation):
    assert orientation_of(blob(orientation=orientation)) == 1


# --- the thumbnail -----------------------------------------------------------------------------


@ORDERS
@pytest.mark.parametrize("behind", [b"", NOTES])
def test_thumbnail_is_removed_and_nothing_else_moves(order, behind):
    before = with_thumbnail(blob(order), order, behind)
    assert parsed(before).get_ifd(ExifTags.IFD.IFD1)[0x0202] == len(IMAGE)
    upright = upright_exif(before, height=4000, width=3000)
    assert parsed(upright).get_ifd(ExifTags.IFD.IFD1) == {}
    expected = blob(order, 1, width=3000, height=4000)
    assert upright[: len(expected)] == expected
    # At the end it is cut off, elsewhere overwritten.
    left = bytes(len(IMAGE)) + behind if behind else b""
    assert upright[before.index(IMAGE) :] == left


@pytest.mark.parametrize("offset", [8, 40])
@pytest.mark.parametrize("length", [20, 10**6])
def test_thumbnail_with_a_wrong_offset_removes_nothing_else(offset, length):
    before = bytearray(with_thumbnail(blob()))
    entry = before.index(struct.pack("<HHL", 0x0201, 4, 1))
    struct.pack_into("<L", before, entry + 8, offset)
    struct.pack_into("<L", before, entry + 12 + 8, length)
    exif = parsed(upright_exif(bytes(before), height=4000, width=3000))
    assert exif[MAKE] == "Nikon"
    assert exif.get_ifd(EXIF)[MAKER_NOTE] == NOTES
    assert exif.get_ifd(GPS_INFO) == GPS


# --- broken EXIF -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "exif",
    [b"", b"II", b"garbage!" * 9, b"II*\0", b"MM*\0\0\0\0\x08"]
    + [blob()[:length] for length in (9, 20, 60)],
)
def test_garbage_and_truncated_directories_are_value_errors(exif):
    with pytest.raises(ValueError, match=r"TIFF|beyond the end"):
        upright_exif(exif, height=20, width=30)


def test_broken_blobs_are_value_errors_or_can_be_read_again():
    # The TIFF writer takes upright EXIF apart; an error there would prevent saving the photograph.
    counts = {"broken": 0, "whole": 0}
    for exif in broken_blobs(1000):
        assert 1 <= orientation_of(exif) <= 8
        try:
            upright = upright_exif(exif, height=20, width=30)
        except ValueError:
            counts["broken"] += 1
            continue
        counts["whole"] += 1
        make_exif(first_of(upright), "<")
    assert min(counts.values()) > 100


@pytest.mark.parametrize("missing", [0, 4, 10])
def test_directory_that_contains_itself_many_times_is_read_quickly(missing):
    pointers = struct.pack("<HHLL", EXIF, 4, 1, 8) * 150
    exif = b"II*\0" + struct.pack("<LH", 8, 150) + pointers + bytes(4)
    begin = time.monotonic()
    with contextlib.suppress(ValueError):
        upright_exif(exif[: len(exif) - missing], height=20, width=30)
    assert time.monotonic() - begin < 1.0


# --- directories -------------------------------------------------------------------------------


@pytest.mark.parametrize("big", [False, True])
@ORDERS
def test_tiff_of_every_layout_is_read_as_tifffile_reads_it(order, big):
    file = io.BytesIO()
    options = {"rowsperstrip": 4, "metadata": None}
    with tifffile.TiffWriter(file, bigtiff=big, byteorder=order) as writer:
        for text in ("first", "second"):
            writer.write(np.zeros((40, 3), "uint8"), **options, description=text)
    reader = TiffReader(file.getvalue())
    assert reader.order == order
    directories = list(reader.chain())
    texts = b"first", b"second"
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as tiff:
        for directory, page, text in zip(directories, tiff.pages, texts, strict=True):
            assert directory.begin == page.offset
            found = {tag: entry.kind for tag, entry in directory.entries.items()}
            assert found == {tag.code: tag.dtype for tag in page.tags}
            assert directory.entries[DESCRIPTION].value.rstrip(b"\0") == text
            assert reader.integer(directory.entries[257]) == 40
            assert reader.integer(directory.entries[273]) == page.dataoffsets[0]
            assert reader.integer(directory.entries[DESCRIPTION]) is None


def directory_of(order):
    """A directory with children, and with inline and other values of odd and even sizes."""
    numbers = struct.pack(order + "6L", 48, 1, 12, 1, 61, 2)
    details = Directory(
        {
            WIDTH: Entry(3, struct.pack(order + "H", 4000)),
            HEIGHT: Entry(4, struct.pack(order + "L", 3000)),
            MAKER_NOTE: Entry(7, NOTES),
        },
        {ExifTags.IFD.Interop: Directory({1: Entry(2, b"R98\0")})},
    )
    gps = Directory({1: Entry(2, b"N\0"), 2: Entry(5, numbers)})
    return Directory(
        {
            MAKE: Entry(2, b"Leic\0"),
            272: Entry(2, b"M3\0"),
            DESCRIPTION: Entry(2, b"Gro\xdfmutter\0"),
            ORIENTATION: Entry(3, struct.pack(order + "H", 6)),
        },
        {GPS_INFO: gps, EXIF: details},
    )


def without_offsets(directory):
    entries = {tag: (entry.kind, entry.value) for tag, entry in directory.entries.items()}
    return entries, {tag: without_offsets(child) for tag, child in directory.children.items()}


@ORDERS
def test_directory_is_written_and_read_back_byte_for_byte(order):
    exif = make_exif(directory_of(order), order)
    assert without_offsets(first_of(exif)) == without_offsets(directory_of(order))
    by_pillow = parsed(exif)
    assert by_pillow.endian == order
    assert by_pillow[MAKE] == "Leic"
    assert by_pillow[ORIENTATION] == 6
    details = {WIDTH: 4000, HEIGHT: 3000, MAKER_NOTE: NOTES}
    assert {tag: by_pillow.get_ifd(EXIF)[tag] for tag in details} == details
    assert by_pillow.get_ifd(ExifTags.IFD.Interop) == {1: "R98"}
    assert by_pillow.get_ifd(GPS_INFO) == {1: "N", 2: (48.0, 12.0, 30.5)}


@ORDERS
def test_directory_may_be_written_at_any_offset_and_linked(order):
    content, link = write_directory(directory_of(order), order, 40)
    assert len(content) % 2 == 0
    exif = bytearray(make_exif(directory_of(order), order)[:4] + struct.pack(order + "L", 40))
    exif += bytes(32) + content
    assert without_offsets(first_of(bytes(exif))) == without_offsets(directory_of(order))
    assert struct.unpack_from(order + "L", exif, link) == (0,)
    struct.pack_into(order + "L", exif, link, len(exif))
    exif += write_directory(Directory({DESCRIPTION: Entry(2, b"small\0")}), order, len(exif))[0]
    assert parsed(bytes(exif)).get_ifd(ExifTags.IFD.IFD1) == {DESCRIPTION: "small"}


def test_values_have_even_offsets_and_tags_are_sorted():
    exif = make_exif(directory_of("<"), "<")
    (count,) = struct.unpack_from("<H", exif, 8)
    rows = [struct.unpack_from("<HHLL", exif, 10 + 12 * row) for row in range(count)]
    assert [tag for tag, *_ in rows] == sorted(tag for tag, *_ in rows)
    # These are texts longer than the four bytes in the table, and directories.
    offsets = [offset for tag, kind, size, offset in rows if size > 4 or tag > 0x8000]
    assert len(offsets) == 4
    assert all(offset % 2 == 0 for offset in offsets)
