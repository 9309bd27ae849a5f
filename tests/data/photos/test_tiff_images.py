"""The photographs in a TIFF are found among copies, masks, infrared images and raw data."""

import os
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from data.image_io import UnreadableImageError
from data.photos.file import PhotoFile
from data.photos.raw_files import RAW
from data.photos.read_rgb import read_rgb
from data.photos.writer import what_is_lost, write_photo
from tests.data.photos.samples import HEIGHT, WIDTH, assert_is_reason, noise, pixels_of, why

ORDERS = pytest.mark.parametrize("order", ["<", ">"])
PHOTOGRAPH, SMALL = noise(24, 36, 3, 16), noise(6, 9, 3, 8, seed=1)
INFRARED = noise(24, 36, 1, 16, seed=2)
REDUCED, MASK, DNG = {254: 1}, {254: 4}, {50706: 0x0104}
CFA, LINEAR = {262: 32803}, {262: 34892}


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
