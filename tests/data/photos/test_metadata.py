"""Metadata written by Pillow and tifffile is read and adapted to the upright photograph."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, PngImagePlugin

from data.photos.metadata import (
    PhotoMetadata,
    descriptive_tags,
    read_metadata,
    read_png_metadata,
    read_tiff_metadata,
)

GRAY = Image.new("L", (30, 20), 128)
MAKE, DESCRIPTION, ORIENTATION = 271, 270, 274
GPS = {1: "N", 2: (48.0, 12.0, 30.5)}
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">Grandmother</x:xmpmeta>'


def exif_of(order="<", **tags):
    """EXIF with a maker, GPS, the size and more, without the prefix in a JPEG."""
    exif = Image.Exif()
    exif.endian = order
    exif[MAKE] = "Nikon"
    exif[ExifTags.IFD.Exif] = {0xA002: 4000, 0xA003: 3000}
    exif[ExifTags.IFD.GPSInfo] = GPS
    for name, value in tags.items():
        exif[ExifTags.Base[name]] = value
    return exif.tobytes().removeprefix(b"Exif\0\0")


def parsed(exif):
    """EXIF as Pillow reads it."""
    read = Image.Exif()
    read.load(exif)
    return read


def read(path):
    with Image.open(path) as image:
        return read_png_metadata(path) if image.format == "PNG" else read_metadata(path, image)


def saved(path, image=GRAY, **options):
    """Saves an image with Pillow and reads its metadata."""
    image.save(path, **options)
    return read(path)


# --- JPEG --------------------------------------------------------------------------------------


def test_jpeg_is_read(tmp_path):
    exif = exif_of(Orientation=6)
    metadata = saved(
        tmp_path / "a.jpg",
        exif=b"Exif\0\0" + exif,
        xmp=XMP,
        dpi=(300, 200),
        comment=b"1932",
        icc_profile=b"icc",
    )
    assert metadata == PhotoMetadata(
        exif=exif,
        xmp=XMP,
        dots_per_inch=(300.0, 200.0),
        orientation=6,
        comment=b"1932",
        profile=b"icc",
    )


@pytest.mark.parametrize(("order", "first"), [("<", b"II"), (">", b"MM")])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp"])
def test_byte_order_is_that_of_the_exif(tmp_path, name, order, first):
    metadata = saved(tmp_path / name, exif=b"Exif\0\0" + exif_of(order, Orientation=3))
    assert metadata.exif == exif_of(order, Orientation=3)
    assert metadata.exif.startswith(first)
    assert (metadata.byte_order, metadata.orientation) == (order, 3)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.gif"])
def test_plain_image_has_no_metadata(tmp_path, name):
    metadata = saved(tmp_path / name)
    if name == "a.bmp":
        # Pillow writes its own resolution into every BMP.
        metadata.dots_per_inch = None
    assert metadata == PhotoMetadata()


def resource(number, content, name=b""):
    """A Photoshop resource, padded to even sizes."""
    label = bytes([len(name)]) + name
    content_ = struct.pack(">L", len(content)) + content
    return b"".join(
        (b"8BIM", struct.pack(">H", number), *(p + bytes(len(p) % 2) for p in (label, content_)))
    )


CAPTION = resource(1028, b"\x1c\x02\x78\0\x0bGrandmother")
THUMBNAILS = resource(1036, b"a thumbnail of odd size", b"odd"), resource(1033, b"gray", b"even")
SIZE = resource(1005, struct.pack(">LHHLHH", 300 << 16, 1, 1, 300 << 16, 1, 1), b"size")


def app13(*parts):
    parts = [b"Photoshop 3.0\0" + part for part in parts]
    return b"".join(b"\xff\xed" + struct.pack(">H", len(part) + 2) + part for part in parts)


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        ([CAPTION + SIZE], CAPTION + SIZE),
        ([THUMBNAILS[0] + CAPTION + THUMBNAILS[1] + SIZE], CAPTION + SIZE),
        ([CAPTION[:15], CAPTION[15:] + THUMBNAILS[0]], CAPTION),
        ([CAPTION, THUMBNAILS[1], SIZE], CAPTION + SIZE),
        ([THUMBNAILS[0]], b""),
    ],
)
def test_resources_of_photoshop_are_read_without_thumbnails(tmp_path, parts, kept):
    assert saved(tmp_path / "a.jpg", extra=app13(*parts)).photoshop == kept


def test_resources_are_read_by_pillow(tmp_path):
    GRAY.save(tmp_path / "a.jpg", extra=app13(THUMBNAILS[0] + CAPTION + SIZE))
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["photoshop"].keys() == {1036, 1028, 1005}
    kept = read(tmp_path / "a.jpg").photoshop
    GRAY.save(tmp_path / "b.jpg", extra=app13(kept))
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.info["photoshop"].keys() == {1028, 1005}


def test_other_segments_of_the_same_number_are_not_resources(tmp_path):
    segment = b"\xff\xed" + struct.pack(">H", 2 + 20) + b"Adobe_CM\0" + bytes(11)
    assert saved(tmp_path / "a.jpg", extra=segment).photoshop == b""


# --- PNG ---------------------------------------------------------------------------------------


def test_png_is_read(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Grandmother")
    texts.add_text("Comment", "in the garden", zip=True)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    texts.add(b"tIME", b"\x07\xe4\1\2\3\4\5")
    exif = exif_of(Orientation=8)
    metadata = saved(
        tmp_path / "a.png", pnginfo=texts, exif=exif, dpi=(300, 150), icc_profile=b"icc"
    )
    assert metadata.exif == exif
    assert metadata.orientation == 8
    assert metadata.xmp == XMP
    assert metadata.texts_hold_xmp
    assert metadata.profile == b"icc"
    assert metadata.dots_per_inch == pytest.approx((300, 150), abs=0.02)
    assert [kind for kind, _ in metadata.texts] == [b"tEXt", b"zTXt", b"iTXt", b"tIME"]
    contents = [content for _, content in metadata.texts]
    assert contents[0] == b"Title\0Grandmother"
    assert zlib.decompress(contents[1].removeprefix(b"Comment\0\0")) == b"in the garden"
    assert contents[2] == b"XML:com.adobe.xmp\0\0\0\0\0" + XMP
    assert contents[3] == b"\x07\xe4\1\2\3\4\5"


def test_other_international_texts_are_not_xmp(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("Title", "Großmutter", lang="de", tkey="Titel")
    metadata = saved(tmp_path / "a.png", pnginfo=texts)
    assert metadata.xmp == b""
    assert not metadata.texts_hold_xmp
    assert metadata.texts == [(b"iTXt", b"Title\0\0\0de\0Titel\0" + "Großmutter".encode())]


def test_chunks_after_the_pixels_are_read(tmp_path):
    GRAY.save(tmp_path / "a.png")
    whole = (tmp_path / "a.png").read_bytes()
    chunks = b""
    for content in (b"tEXtTitle\0Grandmother", b"eXIf" + exif_of(Orientation=3)):
        head = struct.pack(">L", len(content) - 4)
        chunks += head + content + struct.pack(">L", zlib.crc32(content))
    end = len(whole) - 12
    (tmp_path / "a.png").write_bytes(whole[:end] + chunks + whole[end:])
    metadata = read(tmp_path / "a.png")
    assert metadata.texts == [(b"tEXt", b"Title\0Grandmother")]
    assert metadata.exif == exif_of(Orientation=3)
    assert metadata.orientation == 3


def test_png_with_damaged_metadata_is_read(tmp_path):
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "Grandmother")
    GRAY.save(tmp_path / "a.png", pnginfo=texts, icc_profile=bytes(1_700_000))
    whole = bytearray((tmp_path / "a.png").read_bytes())
    whole[whole.index(b"Grandmother")] ^= 1
    (tmp_path / "a.png").write_bytes(whole)
    metadata = read_png_metadata(tmp_path / "a.png")
    assert len(metadata.profile) == 1_700_000
    assert len(metadata.texts) == 1


def test_gamma_of_a_png_is_read(tmp_path):
    gamma = struct.pack(">L", 100_000)
    texts = PngImagePlugin.PngInfo()
    texts.add(b"gAMA", gamma)
    GRAY.save(tmp_path / "a.png", pnginfo=texts)
    metadata = read_png_metadata(tmp_path / "a.png")
    assert metadata.meanings == [(b"gAMA", gamma)]
    assert metadata.words == []


def test_images_of_an_animation_are_counted(tmp_path):
    frames = [Image.new("L", (4, 5), gray) for gray in (10, 100, 200)]
    for name in ("a.png", "a.gif", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        assert read(tmp_path / name).images == 3


def test_thumbnails_in_xmp_are_dropped():
    xmp = b"<a><xmp:Thumbnails><b>gray\ngray</b></xmp:Thumbnails><c/></a>"
    assert PhotoMetadata(xmp=xmp).upright(4, 5)[0].xmp == b"<a><c/></a>"


# --- WebP --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize(
    "options", [{}, {"xmp": XMP, "exif": exif_of(Orientation=6), "icc_profile": b"odd"}]
)
def test_webp_is_read(tmp_path, lossless, mode, options):
    image = Image.new(mode, (30, 20), (200, 100, 50, 120)[: len(mode)])
    metadata = saved(tmp_path / "a.webp", image, lossless=lossless, **options)
    assert metadata.lossless == lossless
    assert metadata.exif == options.get("exif", b"")
    assert metadata.xmp == options.get("xmp", b"")
    assert metadata.profile == options.get("icc_profile", b"")
    assert metadata.orientation == (6 if options else 1)


# --- HEIC --------------------------------------------------------------------------------------


def test_heic_is_stored_upright_whatever_its_exif_says(tmp_path):
    pytest.importorskip("pillow_heif").register_heif_opener()
    metadata = saved(tmp_path / "a.heic", exif=b"Exif\0\0" + exif_of(Orientation=6), xmp=XMP)
    assert metadata.orientation == 1
    assert metadata.xmp == XMP
    assert parsed(metadata.exif).get_ifd(ExifTags.IFD.GPSInfo) == GPS


# --- TIFF --------------------------------------------------------------------------------------

PIXELS = np.zeros((20, 30), "uint8")


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_each_page_of_a_tiff_is_read(tmp_path, order, big):
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=big, byteorder=order) as writer:
        for number in range(3):
            writer.write(
                PIXELS,
                metadata=None,
                description=f"page {number}",
                resolution=(300 + number, 600),
                resolutionunit="INCH",
                iccprofile=b"icc%d" % number,
                extratags=[(700, 1, len(XMP) + 1, XMP + b"%d" % number)],
            )
    pages = read_tiff_metadata(tmp_path / "a.tif")
    assert len(pages) == 3
    for number, metadata in enumerate(pages):
        assert metadata.byte_order == order
        assert parsed(metadata.exif)[DESCRIPTION] == f"page {number}"
        assert parsed(metadata.exif).endian == order
        assert metadata.dots_per_inch == (300 + number, 600)
        assert metadata.profile == b"icc%d" % number
        assert metadata.xmp == XMP + b"%d" % number
        assert (metadata.orientation, metadata.is_auxiliary) == (1, False)


def test_exif_of_a_tiff_has_descriptive_tags_but_no_layout_tags(tmp_path):
    GRAY.save(tmp_path / "a.tif", exif=exif_of(Orientation=5), dpi=(300, 300))
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    exif = parsed(metadata.exif)
    assert set(exif) == {MAKE, ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
    assert exif[MAKE] == "Nikon"
    assert exif.get_ifd(ExifTags.IFD.Exif) == {0xA002: 4000, 0xA003: 3000}
    assert exif.get_ifd(ExifTags.IFD.GPSInfo) == GPS
    assert metadata.orientation == 5
    assert metadata.dots_per_inch == (300.0, 300.0)


def test_tiff_without_descriptive_tags_has_no_exif(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, metadata=None, software=False)
    assert read_tiff_metadata(tmp_path / "a.tif") == [PhotoMetadata()]


def test_numbers_of_64_bits_are_skipped(tmp_path):
    # Only BigTIFF defines them.
    tags = [(65000, 16, 1, 7), (65001, 3, 1, 7)]
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, bigtiff=True, metadata=None, extratags=tags)
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    assert set(parsed(metadata.exif)) - {ExifTags.Base.Software} == {65001}


@pytest.mark.parametrize(
    ("unit", "expected"), [("CENTIMETER", (254.0, 508.0)), ("INCH", (100.0, 200.0)), ("NONE", None)]
)
def test_resolution_of_a_tiff_is_in_inches(tmp_path, unit, expected):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, resolution=(100, 200), resolutionunit=unit)
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    assert metadata.dots_per_inch == expected


def test_smaller_copies_are_recognized(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for kind in (0, 1, 2):
            writer.write(PIXELS, subfiletype=kind)
    assert [page.is_auxiliary for page in read_tiff_metadata(tmp_path / "a.tif")] == [0, 1, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_tiff_is_read(tmp_path, orientation):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, extratags=[(274, 3, 1, orientation)])
    assert read_tiff_metadata(tmp_path / "a.tif")[0].orientation == orientation


def test_resources_of_photoshop_in_a_tiff_lose_their_thumbnails(tmp_path):
    resources = THUMBNAILS[0] + CAPTION + THUMBNAILS[1]
    tag = (34377, 1, len(resources), resources)
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, extratags=[tag])
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    assert bytes(parsed(metadata.exif)[34377]) == CAPTION


@pytest.mark.parametrize("length", range(len(CAPTION)))
def test_truncated_resources_are_no_error(tmp_path, length):
    resources = SIZE + CAPTION[:length]
    tag = (34377, 1, len(resources), resources)
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, extratags=[tag])
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    assert bytes(parsed(metadata.exif)[34377]).startswith(SIZE)


def test_layers_of_photoshop_are_skipped(tmp_path):
    layers = b"the gray image again"
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, extratags=[(37724, 7, len(layers), layers)])
    [metadata] = read_tiff_metadata(tmp_path / "a.tif")
    assert layers not in metadata.exif


def test_circular_chain_of_pages_is_read_once(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        [page] = tiff.pages
        link = page.offset + 2 + 12 * len(page.tags)
        first = page.offset
    content = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<L", content, link, first)
    (tmp_path / "a.tif").write_bytes(content)
    assert len(read_tiff_metadata(tmp_path / "a.tif")) == 1


# --- upright -----------------------------------------------------------------------------------

ATTRIBUTE = b'<rdf:Description tiff:Orientation="%d" tiff:Make="6"/>'
QUOTED_ONCE = b"<rdf:Description tiff:Orientation = '%d'/>"
ELEMENT = b"<tiff:Orientation>%d</tiff:Orientation><tiff:Make>6</tiff:Make>"
FORMS = pytest.mark.parametrize("form", [ATTRIBUTE, QUOTED_ONCE, ELEMENT])


@FORMS
@pytest.mark.parametrize(
    "turned",
    [
        {"exif": exif_of(Orientation=6), "orientation": 6},
        {"exif": exif_of(), "orientation": 8},
        # In HEIC, the pixels are upright but EXIF may still contain the camera's orientation.
        {"exif": exif_of(">", Orientation=3)},
    ],
)
def test_orientation_in_xmp_becomes_upright_with_the_photograph(form, turned):
    metadata, notes = PhotoMetadata(xmp=form % 6, **turned).upright(4000, 3000)
    assert metadata.xmp == form % 1
    assert metadata.orientation == 1
    assert notes == []
    exif = parsed(metadata.exif)
    assert exif.get(ORIENTATION, 1) == 1
    assert exif.get_ifd(ExifTags.IFD.Exif) == {0xA002: 3000, 0xA003: 4000}


@FORMS
@pytest.mark.parametrize("exif", [b"", exif_of(), exif_of(Orientation=1)])
def test_orientation_in_xmp_alone_is_ignored_and_unchanged(form, exif):
    metadata, _ = PhotoMetadata(exif=exif, xmp=form % 6).upright(3000, 4000)
    assert metadata == PhotoMetadata(exif=exif, xmp=form % 6)


def test_orientation_becomes_upright_only_in_the_xmp_text():
    head = b"XML:com.adobe.xmp\0\0\0\0\0"
    others = [
        (b"tEXt", b"Comment\0" + ATTRIBUTE % 6),
        (b"iTXt", b"Comment\0\0\0\0\0" + ATTRIBUTE % 6),
    ]
    stored = PhotoMetadata(
        exif=exif_of(Orientation=6), texts=[*others, (b"iTXt", head + ATTRIBUTE % 6)]
    )
    metadata, _ = stored.upright(4000, 3000)
    assert metadata.texts == [*others, (b"iTXt", head + ATTRIBUTE % 1)]


def test_stored_metadata_does_not_change():
    text = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + ATTRIBUTE % 6)
    values = {"exif": exif_of(Orientation=6), "orientation": 6, "xmp": ATTRIBUTE % 6}
    stored = PhotoMetadata(**values, texts=[text])
    stored.upright(4000, 3000)
    assert stored == PhotoMetadata(**values, texts=[text])


def test_broken_exif_is_skipped_with_a_note():
    stored = PhotoMetadata(exif=exif_of(Orientation=6)[:40], xmp=XMP, comment=b"1932")
    metadata, [note] = stored.upright(4000, 3000)
    assert metadata == PhotoMetadata(xmp=XMP, comment=b"1932")
    assert "EXIF" in note


# --- for TIFF ----------------------------------------------------------------------------------


def test_descriptive_tags_exclude_those_that_the_writer_sets():
    exif = exif_of(Orientation=6, XResolution=300.0, ResolutionUnit=2, Artist="Grandfather")
    tags = descriptive_tags(exif)
    assert tags.entries.keys() == {MAKE, 315}
    assert tags.children.keys() == {ExifTags.IFD.Exif, ExifTags.IFD.GPSInfo}
    assert tags.next == 0


def test_no_exif_has_no_tags():
    tags = descriptive_tags(b"")
    assert not tags.entries
    assert not tags.children
