"""The photographs in a TIFF are found among copies, masks and raw data, with their metadata."""

import os
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from data.image_io import UnreadableImageError
from data.photos.file import PhotoFile
from data.photos.metadata import PhotoMetadata
from data.photos.raw_files import RAW
from data.photos.read_rgb import read_rgb
from data.photos.tiff_images import find_photographs
from data.photos.writer import what_is_lost, write_photo
from tests.data.photos.samples import (
    CAPTION,
    DESCRIPTION,
    EXIF,
    GPS,
    GPS_INFO,
    HEIGHT,
    MAKE,
    NOTES,
    ORDERS,
    RESOLUTION,
    THUMBNAILS,
    WIDTH,
    XMP,
    assert_is_reason,
    exif_of,
    noise,
    parsed,
    pixels_of,
    why,
)

PHOTOGRAPH, SMALL = noise(24, 36, 3, 16), noise(6, 9, 3, 8, seed=1)
INFRARED = noise(24, 36, 1, 16, seed=2)
REDUCED, MASK, DNG = {254: 1}, {254: 4}, {50706: 0x0104}
CFA, LINEAR = {262: 32803}, {262: 34892}

# --- photographs ---------------------------------------------------------------------------------


def image(pixels, tags=(), below=()):
    return pixels, below, dict(tags)


def tiff(images, order="<"):
    """A TIFF of images, tuples of (pixels, images below it, tags)."""
    content = bytearray((b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, 0))

    def append(data):
        content.extend(bytes(len(content) % 2) + data)
        return len(content) - len(data)

    def write(pixels, below, tags):
        height, width = pixels.shape[:2]
        channels = pixels.size // (height * width)
        start = append(pixels.astype(pixels.dtype.newbyteorder(order)).tobytes())
        children = [write(*child)[0] for child in below]
        entries = {
            **{256: width, 257: height, 258: [8 * pixels.itemsize] * channels, 259: 1},
            **{262: 2 if channels > 2 else 1, 273: start, 277: channels, 278: height},
            **{279: pixels.nbytes, **tags},
        }
        if children:
            entries[330] = children
        packed = {}
        for tag, value in entries.items():
            if isinstance(value, bytes):
                kind, count, data = 2, len(value), value
            else:
                values = value if isinstance(value, list) else [value]
                kind, count = (3, len(values)) if tag in (258, 262, 338) else (4, len(values))
                data = struct.pack(f"{order}{count}{'H' if kind == 3 else 'L'}", *values)
            if len(data) > 4:
                data = struct.pack(order + "L", append(data))
            packed[tag] = struct.pack(order + "HHL", tag, kind, count) + data.ljust(4, b"\0")
        table = struct.pack(order + "H", len(packed))
        table += b"".join(packed[tag] for tag in sorted(packed))
        begin = append(table + bytes(4))
        return begin, begin + len(table)

    link = 4
    for each in images:
        begin, following = write(*each)
        struct.pack_into(order + "L", content, link, begin)
        link = following
    return bytes(content)


def pages_of(folder, images, order="<", name="a.tif"):
    """The colors of the pages of a TIFF, and its notes."""
    (folder / name).write_bytes(tiff(images, order))
    photo = PhotoFile(folder / name)
    return [
        np.concatenate([colors for colors, _ in page.strips()]).squeeze() for page in photo.pages
    ], photo.notes


@pytest.mark.parametrize(
    "images",
    [
        [image(SMALL, REDUCED | DNG, [image(PHOTOGRAPH, CFA)])],
        [image(SMALL, REDUCED | DNG, [image(PHOTOGRAPH, LINEAR)])],
        [image(SMALL, DNG, [image(PHOTOGRAPH, LINEAR)])],
        [image(SMALL, REDUCED, [image(SMALL, REDUCED), image(INFRARED, CFA)])],
        [image(SMALL, REDUCED), image(INFRARED, CFA)],
        [image(SMALL), image(INFRARED, {259: 34713})],
        [image(INFRARED, {271: b"SONY\0", 259: 32767})],
        [image(SMALL, {271: b"Canon\0"}), image(INFRARED, {271: b"Canon\0", 259: 6})],
        [image(SMALL, REDUCED | DNG)],
    ],
    ids=["DNG", "linear DNG", "splash", "NEF", "chain", "Nikon", "Sony", "Canon 1Ds", "empty DNG"],
)
@ORDERS
def test_raw_file_is_refused_and_never_colored_from_its_thumbnail(tmp_path, images, order):
    (tmp_path / "a.tif").write_bytes(tiff(images, order))
    for read in (PhotoFile, read_rgb):
        with pytest.raises(UnreadableImageError) as error:
            read(tmp_path / "a.tif")
        assert str(error.value) == RAW


@ORDERS
@pytest.mark.parametrize("tags", [REDUCED | DNG, DNG, REDUCED])
def test_photograph_below_its_thumbnail_is_read(tmp_path, tags, order):
    splash = image(SMALL, tags | {270: b"a scan\0"}, [image(PHOTOGRAPH)])
    pages, notes = pages_of(tmp_path, [splash, image(INFRARED, MASK)], order)
    assert len(pages) == 1
    np.testing.assert_array_equal(pages[0], PHOTOGRAPH)
    assert notes == ["a mask or an infrared image in it is left out"]
    photo = PhotoFile(tmp_path / "a.tif")
    assert b"a scan" in photo.pages[0].metadata.exif
    assert struct.pack(order + "H", 50706) not in photo.pages[0].metadata.exif


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (image(SMALL, REDUCED), []),
        (image(SMALL, {255: 2}), []),
        (image(INFRARED, MASK), ["a mask or an infrared image in it is left out"]),
        (image(INFRARED, {262: 4}), ["a mask or an infrared image in it is left out"]),
        (image(INFRARED, {285: b"Infrared\0"}), ["its infrared image is left out"]),
        (image(INFRARED, {270: b"SilverFast IR channel\0"}), ["its infrared image is left out"]),
    ],
    ids=["reduced", "old reduced", "mask", "mask by color", "page name", "description"],
)
def test_images_beside_the_photograph_are_no_pages(tmp_path, other, expected):
    pages, notes = pages_of(tmp_path, [image(PHOTOGRAPH), other])
    assert len(pages) == 1
    np.testing.assert_array_equal(pages[0], PHOTOGRAPH)
    assert notes == expected


def test_levels_of_a_pyramid_below_the_photograph_are_no_pages(tmp_path):
    levels = [image(SMALL, REDUCED), image(SMALL[:3], REDUCED)]
    pages, notes = pages_of(tmp_path, [image(PHOTOGRAPH, below=levels), image(SMALL)])
    assert [page.shape for page in pages] == [PHOTOGRAPH.shape, SMALL.shape]
    assert notes == []


def test_old_kind_of_a_single_page_is_a_page(tmp_path):
    pages, _ = pages_of(tmp_path, [image(SMALL, {255: 3}), image(PHOTOGRAPH, {255: 1})])
    assert len(pages) == 2


def test_copies_alone_are_colored_with_a_note(tmp_path):
    pages, notes = pages_of(tmp_path, [image(SMALL, REDUCED)])
    np.testing.assert_array_equal(pages[0], SMALL)
    assert notes == ["its pages are marked as smaller copies of a photograph not in the file"]


@pytest.mark.parametrize("kinds", [None, [0], [1], [2], [0, 0], [2, 0], [0, 2], [1, 0], [0, 1]])
@pytest.mark.parametrize("name", ["b.tif", "b.png", "b.webp", "b.jpg"])
def test_extra_samples_keep_their_kind_or_are_told(tmp_path, kinds, name):
    extra = len(kinds or [0])
    pixels = noise(24, 36, 3 + extra, 8, seed=3) // 2 + 128
    (tmp_path / "a.tif").write_bytes(tiff([image(pixels, {338: kinds} if kinds else {})]))
    [page] = PhotoFile(tmp_path / "a.tif").pages
    lost = what_is_lost(tmp_path / name, [page])
    strips = [np.concatenate(parts, axis=-1) for parts in page.strips()]
    write_photo(tmp_path / name, [(page, strips)])
    [written] = PhotoFile(tmp_path / name).pages
    kinds = tuple(kinds or [0])
    other, transparent = 0 in kinds, bool({1, 2} & set(kinds))
    assert any("extra channel" in loss for loss in lost) == (other and name != "b.tif")
    assert any("transparency" in loss for loss in lost) == (transparent and name == "b.jpg")
    if name == "b.tif":
        assert written.extra_samples == kinds
        [(colors, extras)] = written.strips()
        np.testing.assert_array_equal(extras, pixels[..., 3:])
        [(expected, _)] = page.strips()
        assert np.abs(colors.astype(int) - expected).max() <= 2
    elif name != "b.jpg":
        assert written.extra_samples == (2,) * transparent
        if transparent:
            [(_, alpha)] = written.strips()
            number = next(index for index, kind in enumerate(kinds) if kind)
            np.testing.assert_array_equal(alpha[..., 0], pixels[..., 3 + number])


@pytest.mark.parametrize(
    ("photometric", "bits", "stored"),
    [
        (8, 8, (136, 30, -20)),
        (8, 16, (34952, 30 << 8, -20 << 8)),
        (9, 8, (136, 158, 108)),
        (9, 16, (0x8800, 158 << 8, 108 << 8)),
    ],
)
def test_cie_lab_is_read(tmp_path, photometric, bits, stored):
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    # As in a TIFF of 8 bits: L from 0 to 255, a and b with their signs.
    color = Image.frombytes("LAB", (1, 1), bytes([136, 30, -20 % 256]))
    transform = ImageCms.buildTransform(lab, srgb, "LAB", "RGB")
    expected = np.asarray(ImageCms.applyTransform(color, transform))[0, 0] / 255
    pixels = np.full((5, 7, 3), np.array(stored) % 2**bits, f"uint{bits}")
    [page], _ = pages_of(tmp_path, [image(pixels, {262: photometric})])
    assert page.dtype == pixels.dtype
    assert np.abs(page / (2**bits - 1) - expected).max() < 0.01
    assert np.abs(read_rgb(tmp_path / "a.tif") / 255 - expected).max() < 0.01


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pages_of_a_tiff_may_differ_in_everything(tmp_path, order, big):
    pages = [
        noise(),
        noise(7, 50, 1, 16, seed=1).squeeze(),
        noise(33, 9, 4, 8, seed=2),
        noise(2, 3, 3, 16, seed=3),
    ]
    with tifffile.TiffWriter(tmp_path / "a.tif", bigtiff=big, byteorder=order) as writer:
        for number, pixels in enumerate(pages):
            kind = "minisblack" if pixels.ndim == 2 else "rgb"
            writer.write(pixels, photometric=kind, description=f"page {number}", metadata=None)
    photo = PhotoFile(tmp_path / "a.tif")
    assert [(page.height, page.width) for page in photo.pages] == [p.shape[:2] for p in pages]
    assert [page.depth for page in photo.pages] == [8, 16, 8, 16]
    for page, pixels in zip(photo.pages, pages, strict=True):
        np.testing.assert_array_equal(pixels_of(page).squeeze(), pixels)
    for number, page in enumerate(photo.pages):
        assert f"page {number}".encode() in page.metadata.exif


def test_pages_may_be_read_in_any_order_and_together(tmp_path):
    pages = [noise(seed=number) for number in range(3)]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for pixels in pages:
            writer.write(pixels, photometric="rgb", rowsperstrip=3)
    photo = PhotoFile(tmp_path / "a.tif")
    for number in (2, 0, 1, 0):
        np.testing.assert_array_equal(pixels_of(photo.pages[number]), pages[number])
    for parts in zip(*(page.strips() for page in photo.pages), strict=True):
        for (colors, _), pixels in zip(parts, pages, strict=True):
            np.testing.assert_array_equal(colors, pixels)


def test_photographs_among_smaller_copies_are_read(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        writer.write(noise(5, 6), photometric="rgb", subfiletype=1)
        writer.write(noise(), photometric="rgb")
        writer.write(np.zeros((HEIGHT, WIDTH), bool), photometric="mask", subfiletype=4)
        writer.write(noise(7, 8, seed=1), photometric="rgb")
    first, second = PhotoFile(tmp_path / "a.tif").pages
    np.testing.assert_array_equal(pixels_of(first), noise())
    np.testing.assert_array_equal(pixels_of(second), noise(7, 8, seed=1))


def test_album_of_many_pages_is_opened_with_few_files(tmp_path):
    resource = pytest.importorskip("resource")
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for number in range(60):
            writer.write(np.full((2, 3), number, "uint8"), contiguous=False)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    # One open file per page would be more than many systems allow.
    allowed = len(os.listdir("/dev/fd")) + 30
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, limits[1]))
    try:
        pages = PhotoFile(tmp_path / "a.tif").pages
        assert [pixels_of(page)[0, 0, 0] for page in pages] == list(range(60))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize(
    "content",
    [
        b"II*\0",
        b"II*\0\xff\xff\0\0",
        b"MM\0*\0\0\0\x08",
        b"II+\0" + bytes(12),
        b"II*\0" + bytes(4),
        b"MM\0*" + bytes(100),
        b"II*\0\x08\0\0\0" + bytes(20),
    ],
)
def test_tiff_without_a_page_is_unreadable(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    assert_is_reason(why(tmp_path / "a.tif"), tmp_path / "a.tif")


# --- metadata ------------------------------------------------------------------------------------

PHOTOSHOP = 34377
PIXELS = np.zeros((20, 30), "uint8")


def read_all(path):
    """The metadata of the photographs in a TIFF, by the numbers of their pages."""
    photographs, _ = find_photographs(path)
    return {image.page: metadata for image, metadata in photographs}


def read_one(path, pixels=PIXELS, **options):
    """Writes a TIFF of one page with tifffile and reads its metadata."""
    tifffile.imwrite(path, pixels, metadata=None, software=False, **options)
    [metadata] = read_all(path).values()
    return metadata


@pytest.mark.parametrize("big", [False, True])
@ORDERS
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
    pages = read_all(tmp_path / "a.tif")
    assert list(pages) == [0, 1, 2]
    for number, metadata in pages.items():
        exif = parsed(metadata.exif)
        assert (exif[DESCRIPTION], exif.endian) == (f"page {number}", order)
        assert metadata == PhotoMetadata(
            exif=metadata.exif,
            byte_order=order,
            dots_per_inch=(300 + number, 600),
            profile=b"icc%d" % number,
            xmp=XMP + b"%d" % number,
        )


def test_exif_of_a_tiff_has_descriptive_tags_but_no_layout_tags(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.tif", exif=exif_of(orientation=5), dpi=(300, 300))
    [metadata] = read_all(tmp_path / "a.tif").values()
    exif = parsed(metadata.exif)
    assert set(exif) == {MAKE, EXIF, GPS_INFO}
    assert exif[MAKE] == "Nikon"
    assert exif.get_ifd(EXIF)[0x927C] == NOTES
    assert exif.get_ifd(GPS_INFO) == GPS
    assert (metadata.orientation, metadata.dots_per_inch) == (5, (300.0, 300.0))


def test_tiff_without_descriptive_tags_has_no_exif(tmp_path):
    assert read_one(tmp_path / "a.tif") == PhotoMetadata()


def test_numbers_of_64_bits_are_skipped(tmp_path):
    # Only BigTIFF defines them.
    tags = [(65000, 16, 1, 7), (65001, 3, 1, 7)]
    metadata = read_one(tmp_path / "a.tif", bigtiff=True, extratags=tags)
    assert set(parsed(metadata.exif)) == {65001}


@pytest.mark.parametrize(
    ("unit", "expected"), [("CENTIMETER", (254.0, 508.0)), ("INCH", (100.0, 200.0)), ("NONE", None)]
)
def test_resolution_of_a_tiff_is_in_inches(tmp_path, unit, expected):
    metadata = read_one(tmp_path / "a.tif", resolution=(100, 200), resolutionunit=unit)
    assert metadata.dots_per_inch == expected


@pytest.mark.parametrize(
    ("kinds", "photographs"),
    [([0, 1, 2], [0, 2]), ([1, 0], [1]), ([4, 0, 1], [1]), ([1], [0]), ([1, 4], [0, 1])],
)
def test_smaller_copies_and_masks_are_no_photographs_unless_they_are_all(
    tmp_path, kinds, photographs
):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for kind in kinds:
            mask = {"photometric": "mask"} if kind == 4 else {}
            writer.write(PIXELS.astype(bool) if mask else PIXELS, subfiletype=kind, **mask)
    assert list(read_all(tmp_path / "a.tif")) == photographs


@pytest.mark.parametrize("orientation", range(10))
def test_orientation_of_a_tiff_is_read(tmp_path, orientation):
    metadata = read_one(tmp_path / "a.tif", extratags=[(274, 3, 1, orientation)])
    is_odd = orientation in (0, 9)
    assert (metadata.orientation, metadata.is_odd) == (1 if is_odd else orientation, is_odd)


def test_resources_of_photoshop_in_a_tiff_lose_their_thumbnails_and_layers(tmp_path):
    resources, layers = THUMBNAILS[0] + CAPTION + THUMBNAILS[1], b"the gray image again"
    tags = [(PHOTOSHOP, 1, len(resources), resources), (37724, 7, len(layers), layers)]
    metadata = read_one(tmp_path / "a.tif", extratags=tags)
    assert bytes(parsed(metadata.exif)[PHOTOSHOP]) == CAPTION
    assert layers not in metadata.exif


def test_content_credentials_of_a_tiff_are_not_copied_and_that_is_noted(tmp_path):
    tags = [(52545, 7, 4, b"jumb", True), (50838, 4, 2, (12, 30), True)]
    metadata = read_one(tmp_path / "a.tif", extratags=tags)
    [note] = metadata.notes
    assert "C2PA" in note
    assert metadata.exif == b"" or not {52545, 50838} & set(parsed(metadata.exif))


@pytest.mark.parametrize("length", range(0, len(CAPTION), 3))
def test_truncated_resources_are_no_error(tmp_path, length):
    resources = RESOLUTION + CAPTION[:length]
    metadata = read_one(tmp_path / "a.tif", extratags=[(PHOTOSHOP, 1, len(resources), resources)])
    assert bytes(parsed(metadata.exif)[PHOTOSHOP]).startswith(RESOLUTION)


def test_circular_chain_of_pages_is_read_once(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", PIXELS)
    with tifffile.TiffFile(tmp_path / "a.tif") as tiff:
        [page] = tiff.pages
        link = page.offset + 2 + 12 * len(page.tags)
        first = page.offset
    content = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<L", content, link, first)
    (tmp_path / "a.tif").write_bytes(content)
    assert len(read_all(tmp_path / "a.tif")) == 1
