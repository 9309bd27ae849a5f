"""Metadata written by Pillow is read and adapted to the upright photograph."""

import struct

import pytest
from PIL import ExifTags, Image

from data.photos.metadata import PhotoMetadata, read_metadata
from data.photos.xmp_upright import NO_VIDEO
from tests.data.photos.samples import (
    CAPTION,
    EXIF,
    GPS,
    GPS_INFO,
    ORIENTATION,
    RESOLUTION,
    THUMBNAILS,
    XMP,
    app13,
    exif_of,
    parsed,
    value,
    xmp_of,
)

GRAY = Image.new("L", (30, 20), 128)


def saved(path, image=GRAY, **options):
    """Saves an image with Pillow and reads its metadata."""
    image.save(path, **options)
    with Image.open(path) as opened:
        return read_metadata(path, opened)


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
def test_jpeg_is_read(tmp_path, order):
    exif = exif_of(order, 6)
    options = {"dpi": (300, 200), "icc_profile": b"icc", "xmp": XMP, "comment": b"1932"}
    metadata = saved(tmp_path / "a.jpg", exif=b"Exif\0\0" + exif, **options)
    assert metadata == PhotoMetadata(
        exif=exif,
        byte_order=order,
        dots_per_inch=(300.0, 200.0),
        orientation=6,
        profile=b"icc",
        xmp=XMP,
        comments=[b"1932"],
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_is_read(tmp_path, lossless, mode, order):
    image = Image.new(mode, (30, 20), (200, 100, 50, 120)[: len(mode)])
    plain = saved(tmp_path / "a.webp", image, lossless=lossless)
    assert plain == PhotoMetadata(lossless=lossless)
    exif = exif_of(order, 6)
    options = {"xmp": XMP, "exif": exif, "lossless": lossless}
    metadata = saved(tmp_path / "b.webp", image, icc_profile=b"odd", **options)
    assert metadata == PhotoMetadata(byte_order=order, orientation=6, profile=b"odd", **options)


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp", "a.gif"])
def test_plain_image_has_no_metadata(tmp_path, name):
    metadata = saved(tmp_path / name)
    if name == "a.bmp":
        # Pillow writes its own resolution into every BMP.
        metadata.dots_per_inch = None
    assert metadata == PhotoMetadata()


def test_xmp_of_a_gif_is_read(tmp_path):
    GRAY.save(tmp_path / "a.gif")
    whole, trailer = (tmp_path / "a.gif").read_bytes(), bytes([1, *range(255, -1, -1), 0])
    xmp = b"\x21\xff\x0bXMP DataXMP" + XMP + trailer
    (tmp_path / "a.gif").write_bytes(whole[:-1] + xmp + whole[-1:])
    with Image.open(tmp_path / "a.gif") as opened:
        assert read_metadata(tmp_path / "a.gif", opened) == PhotoMetadata(xmp=XMP)


def test_content_credentials_of_a_webp_are_noted(tmp_path):
    GRAY.save(tmp_path / "a.webp", lossless=True)
    whole = (tmp_path / "a.webp").read_bytes() + b"C2PA" + struct.pack("<L", 4) + b"jumb"
    whole = whole[:4] + struct.pack("<L", len(whole) - 8) + whole[8:]
    (tmp_path / "a.webp").write_bytes(whole)
    with Image.open(tmp_path / "a.webp") as opened:
        metadata = read_metadata(tmp_path / "a.webp", opened)
    [note] = metadata.notes
    assert "C2PA" in note
    assert metadata.lossless


@pytest.mark.parametrize(
    ("box", "word"),
    [
        (b"mpvd" + bytes(20), "video"),
        (b"uuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + bytes(8), "C2PA"),
    ],
)
def test_boxes_of_a_heic_that_are_not_copied_are_noted(tmp_path, box, word):
    pytest.importorskip("pillow_heif").register_heif_opener()
    GRAY.convert("RGB").save(tmp_path / "a.heic")
    with open(tmp_path / "a.heic", "ab") as file:
        file.write(struct.pack(">L", len(box) + 4) + box)
    with Image.open(tmp_path / "a.heic") as opened:
        [note] = read_metadata(tmp_path / "a.heic", opened).notes
    assert word in note


def test_heic_is_stored_upright_whatever_its_exif_says(tmp_path):
    pytest.importorskip("pillow_heif").register_heif_opener()
    exif = b"Exif\0\0" + exif_of(orientation=6)
    metadata = saved(tmp_path / "a.heic", GRAY.convert("RGB"), exif=exif, xmp=XMP)
    assert (metadata.orientation, metadata.xmp) == (1, XMP)
    assert parsed(metadata.exif).get_ifd(GPS_INFO) == GPS


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ([CAPTION + RESOLUTION], CAPTION + RESOLUTION),
        ([THUMBNAILS[0] + CAPTION + THUMBNAILS[1] + RESOLUTION], CAPTION + RESOLUTION),
        ([CAPTION[:15], CAPTION[15:] + THUMBNAILS[0]], CAPTION),
        ([CAPTION, THUMBNAILS[1], RESOLUTION], CAPTION + RESOLUTION),
        ([THUMBNAILS[0]], b""),
    ],
)
def test_resources_of_photoshop_are_read_without_thumbnails(tmp_path, parts, kept):
    assert saved(tmp_path / "a.jpg", extra=app13(*parts)).photoshop == kept


def test_other_segments_of_the_same_number_are_not_resources(tmp_path):
    segment = b"\xff\xed" + struct.pack(">H", 2 + 20) + b"Adobe_CM\0" + bytes(11)
    assert saved(tmp_path / "a.jpg", extra=segment).photoshop == b""


# --- upright -----------------------------------------------------------------------------------

ATTRIBUTE = xmp_of(attributes='tiff:Orientation="%d" tiff:Make="6"')
QUOTED_ONCE = xmp_of(attributes="tiff:Orientation = '%d'")
ELEMENT = xmp_of("<tiff:Orientation>%d</tiff:Orientation><tiff:Make>6</tiff:Make>")
FORMS = pytest.mark.parametrize("form", [ATTRIBUTE, QUOTED_ONCE, ELEMENT])


@FORMS
@pytest.mark.parametrize(
    "turned",
    [
        {"exif": exif_of(orientation=6), "orientation": 6},
        {"exif": exif_of(), "orientation": 8},
        # In HEIC, the pixels are upright but EXIF may still contain the camera's orientation.
        {"exif": exif_of(">", 3)},
    ],
)
def test_orientation_in_xmp_becomes_upright_with_the_photograph(form, turned):
    stored = PhotoMetadata(xmp=form % 6, **turned)
    metadata, notes = stored.upright(4000, 3000)
    assert value(metadata.xmp, "tiff:Orientation") == "1"
    assert value(metadata.xmp, "tiff:Make") == value(form % 6, "tiff:Make")
    assert (metadata.orientation, notes) == (1, [])
    exif = parsed(metadata.exif)
    assert exif.get(ORIENTATION, 1) == 1
    details = exif.get_ifd(EXIF)
    assert (details[ExifTags.Base.ExifImageWidth], details[0xA003]) == (3000, 4000)
    # What is stored does not change.
    assert stored == PhotoMetadata(xmp=form % 6, **turned)


@FORMS
@pytest.mark.parametrize("exif", [b"", exif_of(), exif_of(orientation=1)])
def test_orientation_in_xmp_alone_is_ignored_and_unchanged(form, exif):
    stored = PhotoMetadata(exif=exif, xmp=form % 6, texts=[(b"tEXt", ATTRIBUTE % 6)])
    assert stored.upright(20, 30) == (stored, [])


def test_thumbnails_in_xmp_are_dropped():
    xmp = xmp_of("<xmp:Thumbnails><b>gray\ngray</b></xmp:Thumbnails>", 'dc:source="1932"')
    metadata, notes = PhotoMetadata(xmp=xmp).upright(4, 5)
    assert value(metadata.xmp, "xmp:Thumbnails") is None
    assert value(metadata.xmp, "dc:source") == "1932"
    assert notes == []


def test_broken_exif_is_skipped_with_a_note():
    stored = PhotoMetadata(exif=exif_of(orientation=6)[:40], xmp=XMP, comments=[b"1932"])
    metadata, [note] = stored.upright(4000, 3000)
    assert metadata == PhotoMetadata(xmp=XMP, comments=[b"1932"])
    assert "EXIF" in note


def test_broken_xmp_is_skipped_with_a_note():
    metadata, [note] = PhotoMetadata(xmp=XMP[:-9], comments=[b"1932"]).upright(20, 30)
    assert metadata == PhotoMetadata(comments=[b"1932"])
    assert "XMP" in note


def test_what_the_file_lost_is_noted_once():
    stored = PhotoMetadata(xmp=xmp_of(attributes='GCamera:MotionPhoto="1"'), notes=[NO_VIDEO])
    assert stored.upright(20, 30)[1] == [NO_VIDEO]
