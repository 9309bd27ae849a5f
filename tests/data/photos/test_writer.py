"""Colored photographs keep their metadata, and are written completely or not at all."""

import io
import itertools
import os
import re
import struct

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import ExifTags, Image, JpegImagePlugin, PngImagePlugin

from data.photos.file import PhotoFile
from data.photos.profiles import srgb_profile
from data.photos.provenance import Provenance
from data.photos.writer import FORMATS, what_is_lost, write_photo
from errors import InputError
from tests.data.photos import samples
from tests.data.photos.samples import (
    CAPTION,
    GPS,
    HEIGHT,
    MAKE,
    NOTES,
    ORIENTATION,
    P3,
    WIDTH,
    XMP,
    app13,
    exif_of,
    in_strips,
    page_of,
    smooth,
    xmp_of,
)


def noise(channels=3, depth=8, height=HEIGHT, width=WIDTH):
    return samples.noise(height, width, channels, depth)


def write(path, pixels, quality=95, **metadata):
    write_photo(path, [(page_of(pixels, **metadata), in_strips(pixels))], quality)


def colored(page):
    """Yields the strips of a page as if the network had not changed it."""
    for rgb, alpha in page.strips():
        rgb = np.ascontiguousarray(np.broadcast_to(rgb, (*rgb.shape[:2], 3)))
        back = page.from_srgb(rgb)
        yield back if alpha is None else np.concatenate([back, alpha], axis=-1)


# --- pixels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "channels", "depth"),
    [
        *itertools.product(["a.png", "a.tif"], [3, 4], [8, 16]),
        *itertools.product(["a.webp"], [3, 4], [8]),
        ("a.bmp", 3, 8),
    ],
)
def test_lossless_formats_store_the_pixels_exactly(tmp_path, name, channels, depth):
    write(tmp_path / name, noise(channels, depth), lossless=True)
    if depth == 16:
        image = pyvips.Image.new_from_file(str(tmp_path / name))
        assert image.interpretation == "rgb16"
        np.testing.assert_array_equal(image.numpy(), noise(channels, 16))
        return
    with Image.open(tmp_path / name) as image:
        assert image.format == FORMATS[os.path.splitext(name)[1]]
        np.testing.assert_array_equal(image, noise(channels))


@pytest.mark.parametrize("name", ["a.jpg", "A.JPEG", "a.jpe", "a.jfif", "a.webp"])
def test_lossy_formats_store_the_pixels_approximately(tmp_path, name):
    write(tmp_path / name, smooth())
    with Image.open(tmp_path / name) as image:
        assert image.format == ("WEBP" if name == "a.webp" else "JPEG")
        assert np.abs(np.asarray(image).astype(int) - smooth()).max() <= 12


def test_jpeg_keeps_color_at_full_resolution(tmp_path):
    write(tmp_path / "a.jpg", noise())
    with Image.open(tmp_path / "a.jpg") as image:
        assert JpegImagePlugin.get_sampling(image) == 0


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_quality_applies_to_lossy_formats(tmp_path, name):
    sizes = []
    for quality in (30, 60, 95):
        write(tmp_path / name, noise(), quality)
        sizes.append((tmp_path / name).stat().st_size)
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[2] * 0.7


@pytest.mark.parametrize("name", ["a.jpg", "a.bmp"])
@pytest.mark.parametrize("depth", [8, 16])
def test_transparent_photograph_is_laid_on_white(tmp_path, name, depth):
    pixels = smooth(4, depth)
    write(tmp_path / name, pixels, quality=100)
    alpha = pixels[..., 3:] / (2**depth - 1)
    expected = 255 * (pixels[..., :3] / (2**depth - 1) * alpha + 1 - alpha)
    with Image.open(tmp_path / name) as image:
        assert image.mode == "RGB"
        assert np.abs(np.asarray(image) - expected).max() <= (6 if name == "a.jpg" else 1)


@pytest.mark.parametrize("name", ["a.bmp", "a.webp"])
def test_sixteen_bits_are_rounded_if_the_format_stores_eight(tmp_path, name):
    write(tmp_path / name, noise(depth=16), lossless=True)
    with Image.open(tmp_path / name) as image:
        np.testing.assert_array_equal(image, np.floor(noise(depth=16) / 257 + 0.5))


@pytest.mark.parametrize("name", ["a.heic", "a.HEIF"])
def test_heic_is_written(tmp_path, pillow_heif, name):
    write(tmp_path / name, smooth())
    heif = pillow_heif.open_heif(tmp_path / name)
    assert (heif.size, heif.mode, heif.info["bit_depth"]) == ((WIDTH, HEIGHT), "RGB", 8)
    assert heif.info["chroma"] == 444
    assert np.abs(np.asarray(heif).astype(int) - smooth()).max() <= 12


@pytest.mark.parametrize("channels", [3, 4])
def test_heic_of_sixteen_bits_stores_more_than_eight(tmp_path, pillow_heif, channels):
    levels = np.linspace(0, 65535, 64 * 256).astype("uint16").reshape(64, 256, 1)
    pixels = np.repeat(levels, channels, axis=-1)
    write_photo(tmp_path / "a.heic", [(page_of(pixels), [pixels])], quality=100)
    heif = pillow_heif.open_heif(tmp_path / "a.heic", convert_hdr_to_8bit=False)
    assert heif.info["bit_depth"] > 8
    assert heif.has_alpha == (channels == 4)
    read = np.asarray(heif).astype(int)
    assert len(np.unique(read[..., 1])) > 500
    assert np.abs(read - pixels).max() <= 65535 / 100


# --- metadata ----------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.heic"])
def test_metadata_is_saved(request, tmp_path, name, order):
    if name == "a.heic":
        request.getfixturevalue("pillow_heif")
    write(
        tmp_path / name,
        smooth(),
        exif=exif_of(order),
        xmp=XMP,
        profile=P3,
        dots_per_inch=(300.0, 150.0),
    )
    with Image.open(tmp_path / name) as image:
        exif = image.getexif()
        assert exif[MAKE] == "Nikon"
        assert exif.get_ifd(ExifTags.IFD.Exif)[0x927C] == NOTES
        assert exif.get_ifd(ExifTags.IFD.GPSInfo) == GPS
        assert image.info["xmp"] == XMP
        assert image.info["icc_profile"] == P3
        if name not in ("a.webp", "a.heic"):
            assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"])
def test_image_without_metadata_is_saved_without_metadata(tmp_path, name):
    write(tmp_path / name, noise())
    with Image.open(tmp_path / name) as image:
        assert not image.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}
        assert not getattr(image, "text", {})


def test_comment_and_captions_of_a_jpeg_are_saved(tmp_path):
    write(
        tmp_path / "a.jpg",
        noise(),
        comments=[b"1932", b"1933"],
        photoshop=CAPTION,
        exif=exif_of(),
        xmp=XMP,
    )
    with Image.open(tmp_path / "a.jpg") as image:
        assert [text for name, text in image.applist if name == "COM"] == [b"1932", b"1933"]
        assert image.info["photoshop"] == {1028: CAPTION[12:]}
        assert image.info["xmp"] == XMP
        assert image.getexif()[MAKE] == "Nikon"


def test_captions_larger_than_a_segment_are_saved(tmp_path):
    resources = b"8BIM\4\4\0\0" + struct.pack(">L", 150_000) + bytes(range(250)) * 600
    write(tmp_path / "a.jpg", noise(), photoshop=resources)
    with Image.open(tmp_path / "a.jpg") as image:
        segments = [data for name, data in image.applist if name == "APP13"]
    assert len(segments) == 3
    assert b"".join(part.removeprefix(b"Photoshop 3.0\0") for part in segments) == resources


@pytest.mark.parametrize("lossless", [False, True])
def test_webp_is_compressed_as_it_was(tmp_path, lossless):
    write(tmp_path / "a.webp", noise(), lossless=lossless)
    assert (b"VP8L" in (tmp_path / "a.webp").read_bytes()) == lossless


# --- from file to file -------------------------------------------------------------------------


def dull(channels=3):
    """Colors inside both sRGB and Display P3: others are clipped by the conversion."""
    pixels = smooth(channels)
    pixels[..., :3] = 90 + pixels[..., :3] // 4
    return pixels


PLAIN = {"dpi": (300, 300), "icc_profile": P3, "xmp": XMP}


def save_source(folder, name, orientation):
    """Saves a photograph with all metadata that its format supports."""
    path = folder / name
    exif = exif_of(">", orientation)
    if name == "jpeg.jpg":
        extra = {"comment": b"1932", "extra": app13(CAPTION)}
        options = {**extra, "quality": 100, "subsampling": 0}
        Image.fromarray(dull()).save(path, exif=b"Exif\0\0" + exif, **PLAIN, **options)
    elif name == "png.png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Title", "Grandmother")
        texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
        options = {"icc_profile": P3, "dpi": (300, 300), "pnginfo": texts}
        Image.fromarray(dull(4)).save(path, exif=exif, **options)
    elif name == "tiff.tif":
        # Pillow writes every RGB TIFF in this byte order.
        exif = exif_of("<", orientation)
        Image.fromarray(dull()).save(path, exif=exif, icc_profile=P3, dpi=(300, 300))
    elif name == "webp.webp":
        options = {"lossless": True, "exact": True, "icc_profile": P3, "xmp": XMP}
        Image.fromarray(dull(4)).save(path, exif=exif, **options)
    return path


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("source", ["jpeg.jpg", "png.png", "tiff.tif", "webp.webp"])
@pytest.mark.parametrize("target", ["a.jpg", "a.png", "a.tif", "a.webp"])
def test_photograph_is_converted_from_format_to_format(tmp_path, source, target, orientation):
    photo = PhotoFile(save_source(tmp_path, source, orientation))
    [page] = photo.pages
    write_photo(tmp_path / target, [(page, colored(page))], quality=100)
    expected = dull(4) if page.has_alpha and target != "a.jpg" else dull()
    if page.has_alpha and target == "a.jpg":
        alpha = dull(4)[..., 3:] / 255
        expected = dull() * alpha + 255 * (1 - alpha)
    if orientation == 6:
        expected = np.rot90(expected, -1)
    with Image.open(tmp_path / target) as image:
        exif = image.getexif()
        assert image.size == expected.shape[1::-1]
        assert exif.get(ORIENTATION, 1) == 1
        assert exif[MAKE] == "Nikon"
        assert exif.get_ifd(ExifTags.IFD.GPSInfo) == GPS
        details = exif.get_ifd(ExifTags.IFD.Exif)
        assert (details[0xA002], details[0xA003]) == image.size
        assert details[0x927C] == NOTES
        assert image.info["icc_profile"] == P3
        if source != "tiff.tif":
            assert image.info["xmp"] == XMP
        if source != "webp.webp" and target != "a.webp":
            assert image.info["dpi"] == pytest.approx((300, 300), abs=0.02)
        # Lossy WebP stores color at half the resolution.
        near = {"a.jpg": 6, "a.webp": 30}.get(target, 2) + (source == "jpeg.jpg") * 4
        assert np.abs(np.asarray(image).astype(int) - expected).max() <= near


@pytest.mark.parametrize("order", ["<", ">"])
def test_all_pages_of_an_album_are_saved(tmp_path, order):
    pages = [noise(1, 16), noise(3, 8, 5, 40), noise(4, 16, 33, 6)]
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=order) as writer:
        for number, pixels in enumerate(pages):
            writer.write(
                pixels.squeeze(),
                photometric="minisblack" if number == 0 else "rgb",
                description=f"page {number}",
                metadata=None,
                resolution=(100 + number, 100),
                resolutionunit="CENTIMETER",
                extratags=[(700, 1, len(XMP), XMP)],
            )
    photo = PhotoFile(tmp_path / "a.tif")
    assert what_is_lost("b.tif", photo.pages) == []
    write_photo(tmp_path / "b.tif", ((page, colored(page)) for page in photo.pages))
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        assert tiff.byteorder == order
        assert len(tiff.pages) == 3
        for number, (page, pixels) in enumerate(zip(tiff.pages, pages, strict=True)):
            channels = max(3, pixels.shape[2])
            expected = np.broadcast_to(pixels, (*pixels.shape[:2], channels))
            np.testing.assert_array_equal(page.asarray(), expected)
            assert page.tags["ImageDescription"].value == f"page {number}"
            assert page.tags[700].value == XMP
            across = page.tags["XResolution"].value
            assert across[0] / across[1] == pytest.approx((100 + number) * 2.54, abs=1e-3)


def test_only_the_first_page_is_written_to_a_format_of_one_page(tmp_path):
    first, second = page_of(noise()), page_of(noise(height=5, width=6))
    pages = [(first, in_strips(noise())), (second, [noise(height=5, width=6)])]
    write_photo(tmp_path / "a.png", pages)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(image, noise())


# --- what is lost ------------------------------------------------------------------------------

LARGE_XMP = xmp_of(f"<dc:source>{'long ' * 40_000}</dc:source>", 'dc:format="image/jpeg"')
LARGE = {"exif": exif_of(notes=bytes(70_000))}
EVERYTHING = {"exif": exif_of(), "xmp": XMP, "profile": srgb_profile()}


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.heic", "A.HEIF"])
def test_nothing_is_lost_that_fits(name):
    assert what_is_lost(name, [page_of(noise(), **EVERYTHING, dots_per_inch=(300, 300))]) == []


@pytest.mark.parametrize(
    ("name", "channels", "depth", "metadata", "word"),
    [
        ("a.jpg", 4, 8, {}, "transparency"),
        ("a.bmp", 4, 8, {}, "transparency"),
        ("a.jpg", 3, 16, {}, "8 bits"),
        ("a.webp", 3, 16, {}, "8 bits"),
        ("a.bmp", 3, 16, {}, "8 bits"),
        ("a.bmp", 3, 8, {"exif": exif_of()}, "EXIF"),
        ("a.bmp", 3, 8, {"xmp": XMP}, "XMP"),
        ("a.bmp", 3, 8, {"profile": srgb_profile()}, "profile"),
        ("a.jpg", 3, 8, LARGE, "EXIF"),
        ("a.jpg", 3, 8, {"comments": [b"long " * 20_000]}, "comment"),
        ("a.png", 3, 8, {"comments": [b"1932"]}, "comment"),
        ("a.webp", 3, 8, {"photoshop": CAPTION}, "caption|IPTC|Photoshop"),
        ("a.jpg", 3, 8, {"texts": [(b"tEXt", b"Title\0Grandmother")]}, "text"),
    ],
)
def test_each_loss_is_reported(name, channels, depth, metadata, word):
    [loss] = what_is_lost(name, [page_of(noise(channels, depth), **metadata)])
    assert re.search(word, loss)


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.heic"])
def test_depth_and_alpha_are_not_lost_where_they_fit(name):
    assert what_is_lost(name, [page_of(noise(4, 16))]) == []


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.heic"])
def test_lost_pages_are_reported(name):
    [loss] = what_is_lost(name, [page_of(noise())] * 3)
    assert "one page of its 3" in loss


def test_loss_on_any_page_is_reported():
    losses = what_is_lost("a.jpg", [page_of(noise()), page_of(noise(4, 16))])
    assert len(losses) == 3


def test_large_metadata_fits_elsewhere(tmp_path):
    for name in ("a.png", "a.tif", "a.webp"):
        assert what_is_lost(name, [page_of(noise(), **LARGE, xmp=LARGE_XMP)]) == []
        write(tmp_path / name, noise(), **LARGE, xmp=LARGE_XMP)
        with Image.open(tmp_path / name) as image:
            assert image.getexif()[MAKE] == "Nikon"
            assert image.info["xmp"] == LARGE_XMP


def test_too_large_exif_is_skipped_in_a_jpeg(tmp_path):
    write(tmp_path / "a.jpg", smooth(), **LARGE, xmp=XMP, profile=P3, comments=[b"1932"])
    with Image.open(tmp_path / "a.jpg") as image:
        assert MAKE not in image.getexif()
        assert image.info["xmp"] == XMP
        assert image.info["icc_profile"] == P3
        assert image.info["comment"] == b"1932"
        assert np.abs(np.asarray(image).astype(int) - smooth()).max() <= 12


def test_exif_up_to_the_size_of_a_segment_is_saved(tmp_path):
    exif = exif_of()
    exif += bytes(65527 - len(exif))
    page = page_of(noise(), exif=exif)
    assert what_is_lost("a.jpg", [page]) == []
    write_photo(tmp_path / "a.jpg", [(page, in_strips(noise()))])
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.info["exif"] == b"Exif\0\0" + exif
    assert len(what_is_lost("a.jpg", [page_of(noise(), exif=exif + b"\0")])) == 1
    write(tmp_path / "a.jpg", noise(), exif=exif + b"\0")


# --- provenance --------------------------------------------------------------------------------

PROVENANCE = Provenance("Colorizer 1.0", "sagan")


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.heic"])
@pytest.mark.parametrize("xmp", [b"", XMP])
def test_xmp_says_that_the_colors_are_machine_made(request, tmp_path, name, xmp):
    if name == "a.heic":
        request.getfixturevalue("pillow_heif")
    pages = [(page_of(noise(), xmp=xmp), [noise()])]
    write_photo(tmp_path / name, pages, provenance=PROVENANCE)
    with Image.open(tmp_path / name) as image:
        assert image.info["xmp"] == PROVENANCE.added_to(xmp)
    assert what_is_lost(name, [pages[0][0]], PROVENANCE) == []


def test_bmp_cannot_say_that_the_colors_are_machine_made(tmp_path):
    [loss] = what_is_lost("a.bmp", [page_of(noise())], PROVENANCE)
    assert "machine-made" in loss
    write_photo(tmp_path / "a.bmp", [(page_of(noise()), [noise()])], provenance=PROVENANCE)


# --- broken metadata ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"])
@pytest.mark.parametrize("dots", [0.001, 70_000.0, float(2**32 - 1)])
def test_absurd_resolution_is_no_reason_to_fail(tmp_path, name, dots):
    # Broken EXIF may contain such values; 4294967295 means unknown.
    write(tmp_path / name, smooth(), dots_per_inch=(dots, dots))
    with Image.open(tmp_path / name) as image:
        assert image.size == (WIDTH, HEIGHT)


def test_long_comment_of_a_gif_is_no_reason_to_fail(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.gif", comment=b"long " * 20_000)
    [page] = PhotoFile(tmp_path / "a.gif").pages
    write_photo(tmp_path / "a.jpg", [(page, colored(page))])
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == (WIDTH, HEIGHT)


# --- complete or not at all --------------------------------------------------------------------

NAMES = pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp", "a.bmp"])


def interrupted(pixels):
    yield pixels[:7]
    raise RuntimeError("the disk with the photograph was pulled out")


@NAMES
def test_failed_writing_leaves_nothing_or_the_old_file(tmp_path, name):
    for before in (None, b"what was there"):
        if before:
            (tmp_path / name).write_bytes(before)
        pages = [(page_of(noise()), in_strips(noise()))] * (name == "a.tif")
        pages.append((page_of(noise()), interrupted(noise())))
        with pytest.raises(RuntimeError, match="pulled out"):
            write_photo(tmp_path / name, pages)
        assert os.listdir(tmp_path) == [name] * bool(before)
    assert (tmp_path / name).read_bytes() == before


@NAMES
def test_existing_file_is_replaced_and_folders_are_created(tmp_path, name):
    for pixels in (noise(), smooth()):
        write(tmp_path / "new" / name, pixels)
    assert os.listdir(tmp_path / "new") == [name]
    with Image.open(tmp_path / "new" / name) as image:
        assert np.abs(np.asarray(image).astype(int) - smooth()).max() <= 12


@NAMES
def test_photograph_may_be_colored_in_place(tmp_path, name):
    Image.fromarray(smooth()).save(tmp_path / name)
    [page] = PhotoFile(tmp_path / name).pages
    write_photo(tmp_path / name, [(page, colored(page))])
    with Image.open(tmp_path / name) as image:
        assert image.size == (WIDTH, HEIGHT)
        assert np.abs(np.asarray(image).astype(int) - smooth()).max() <= 20


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_photograph_too_large_for_its_format_is_an_input_error(tmp_path, name):
    pixels = np.zeros((1, 65536, 3), "uint8")
    with pytest.raises(InputError, match=r"give another format.* 65536 x 1"):
        write_photo(tmp_path / name, [(page_of(pixels), [pixels])])
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.gif", "a", "a.txt"])
def test_unknown_suffix_is_an_input_error(tmp_path, name):
    for function in (what_is_lost, write_photo):
        with pytest.raises(InputError, match=f"Received: .*{name}"):
            function(tmp_path / name, [(page_of(noise()), [noise()])])
    assert os.listdir(tmp_path) == []


def test_large_photograph_fits_into_png_and_tiff(tmp_path):
    pixels = np.zeros((1, 70_000, 3), "uint8")
    for name in ("a.png", "a.tif"):
        write_photo(tmp_path / name, [(page_of(pixels), [pixels])])
        with Image.open(io.BytesIO((tmp_path / name).read_bytes())) as image:
            assert image.size == (70_000, 1)
