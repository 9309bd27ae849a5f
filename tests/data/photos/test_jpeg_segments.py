"""Comments, extended XMP and what is behind the image are read from a JPEG, or noted."""

import io
import struct

import pytest
from PIL import Image

from data.photos.jpeg_segments import read_jpeg_extras, write_segments
from tests.data.photos.samples import CAPTION, XMP, app13, value, xmp_of

LARGE = xmp_of(f"<dc:title>{'a' * 150_000}</dc:title>", 'dc:source="1932"')


def segment(marker, content):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(content) + 2) + content


def save(path, segments=b"", behind=b""):
    """Saves a JPEG with segments after its first marker and bytes behind its end."""
    encoded = io.BytesIO()
    Image.new("L", (30, 20), 128).save(encoded, "JPEG")
    whole = encoded.getvalue()
    path.write_bytes(whole[:2] + segments + whole[2:] + behind)
    return path


def test_plain_jpeg_has_no_extras(tmp_path):
    extras = read_jpeg_extras(save(tmp_path / "a.jpg"), images=1)
    assert (extras.comments, extras.photoshop, extras.xmp, extras.notes) == ([], b"", b"", [])
    assert not extras.has_gain_map


@pytest.mark.parametrize("xmp", [b"", XMP, LARGE])
def test_what_is_written_is_read_back(tmp_path, xmp):
    written = write_segments([b"Grandmother", b"scanner"], CAPTION * 3000, xmp)
    extras = read_jpeg_extras(save(tmp_path / "a.jpg", written), images=1)
    assert extras.comments == [b"Grandmother", b"scanner"]
    assert extras.photoshop == CAPTION * 3000
    assert extras.notes == []
    if xmp == LARGE:
        assert len(value(extras.xmp, "dc:title")) == 150_000
        assert value(extras.xmp, "dc:source") == "1932"
        assert value(extras.xmp, "xmpNote:HasExtendedXMP") is None
    else:
        assert extras.xmp == xmp


def test_parts_of_extended_xmp_may_be_in_any_order(tmp_path):
    segments = write_segments([], b"", LARGE).split(b"\xff\xe1")
    assert len(segments) == 5
    reverse = b"\xff\xe1".join([segments[0], segments[1], *segments[:1:-1]])
    extras = read_jpeg_extras(save(tmp_path / "a.jpg", reverse), images=1)
    assert len(value(extras.xmp, "dc:title")) == 150_000


def test_incomplete_extended_xmp_is_still_announced(tmp_path):
    first, *parts = write_segments([], b"", LARGE).split(b"\xff\xe1")[1:]
    incomplete = b"".join(b"\xff\xe1" + part for part in (first, *parts[:-1]))
    extras = read_jpeg_extras(save(tmp_path / "a.jpg", incomplete), images=1)
    assert value(extras.xmp, "dc:source") == "1932"
    assert value(extras.xmp, "dc:title") is None
    assert value(extras.xmp, "xmpNote:HasExtendedXMP")


def test_fill_bytes_and_other_segments_are_passed_over(tmp_path):
    segments = b"\xff\xff" + segment(0xEC, b"Ducky\0") + b"\xff\xff" + segment(0xFE, b"1932")
    extras = read_jpeg_extras(save(tmp_path / "a.jpg", segments + app13(CAPTION)), images=1)
    assert (extras.comments, extras.photoshop) == ([b"1932"], CAPTION)


VIDEO = (
    struct.pack(">L", 24) + b"ftypmp42" + bytes(12) + struct.pack(">L", 108) + b"mdat" + bytes(100)
)
OTHER = b"\xff\xd8\xff\xe0 another JPEG \xff\xd9"
CREDENTIALS = segment(0xEB, b"JP\0\1\0\0\0\1\0\0\0\x30jumb\0\0\0\x28jumdc2pa")
GAIN_MAP = segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\0\0\0\0\0")


@pytest.mark.parametrize(
    ("segments", "behind", "images", "word"),
    [
        (b"", VIDEO, 1, "video"),
        (b"", OTHER + VIDEO, 2, "video"),
        (b"", OTHER, 1, "other JPEG"),
        (b"", b"SEFT of a phone", 1, "15 bytes"),
        (GAIN_MAP, OTHER, 2, "gain map"),
        (CREDENTIALS, b"", 1, "C2PA"),
    ],
)
def test_what_is_not_copied_is_noted(tmp_path, segments, behind, images, word):
    extras = read_jpeg_extras(save(tmp_path / "a.jpg", segments, behind), images)
    [note] = extras.notes
    assert word in note
    assert extras.has_gain_map == (word == "gain map")


@pytest.mark.parametrize("behind", [b"\0" * 100, b"\r\n"])
def test_padding_behind_the_end_is_not_noted(tmp_path, behind):
    assert read_jpeg_extras(save(tmp_path / "a.jpg", behind=behind), images=1).notes == []


def test_other_images_that_are_counted_are_not_noted_again(tmp_path):
    assert read_jpeg_extras(save(tmp_path / "a.jpg", behind=OTHER), images=2).notes == []


@pytest.mark.parametrize("size", [2, 3, 5, 21, 30])
def test_truncated_jpeg_is_no_reason_to_fail(tmp_path, size):
    whole = save(tmp_path / "a.jpg", segment(0xFE, b"1932")).read_bytes()
    (tmp_path / "a.jpg").write_bytes(whole[:size])
    assert read_jpeg_extras(tmp_path / "a.jpg", images=1).notes == []
