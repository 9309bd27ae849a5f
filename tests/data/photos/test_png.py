"""PNG metadata is read; written files are read by Pillow and libvips, their chunks in order."""

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, PngImagePlugin

from data.photos.file import PhotoFile
from data.photos.metadata import PhotoMetadata
from data.photos.png import read_png_metadata, write_png
from data.photos.profiles import srgb_profile
from data.photos.read_rgb import read_rgb
from tests.data.photos.samples import GPS, GPS_INFO, XMP, exif_of, noise

GRAY = Image.new("L", (30, 20), 128)
TEXTS = [
    (b"tEXt", b"Title\0Gro\xdfmutter"),
    (b"zTXt", b"Comment\0\0" + zlib.compress(b"in the garden")),
    (b"iTXt", b"Author\0\0\0de\0Autor\0" + "Großvater".encode()),
    (b"tIME", b"\x07\xe4\1\2\3\4\5"),
]


def write(pixels, heights=(4, 4, 3), **metadata):
    file = io.BytesIO()
    strips = np.split(pixels, np.cumsum(heights)[:-1])
    write_png(file, strips, *pixels.shape[:2], PhotoMetadata(**metadata))
    return file.getvalue()


def pixels_in(png):
    return pyvips.Image.new_from_buffer(png, "", fail_on="warning").numpy()


def chunk(kind, content):
    return (
        struct.pack(">L", len(content))
        + kind
        + content
        + struct.pack(">L", zlib.crc32(kind + content))
    )


def chunks(png):
    """The kinds and contents of the chunks, whose checksums are verified."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    offset, found = 8, []
    while offset < len(png):
        size, kind = struct.unpack_from(">L4s", png, offset)
        content = png[offset + 8 : offset + 8 + size]
        assert png[offset : offset + 12 + size] == chunk(kind, content)
        found.append((kind, content))
        offset += 12 + size
    return found


# --- reading -----------------------------------------------------------------------------------


def test_png_is_read(tmp_path):
    texts = PngImagePlugin.PngInfo()
    for kind, content in TEXTS:
        texts.add(kind, content)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    exif = exif_of(">", 8)
    options = {"exif": exif, "dpi": (300, 150), "icc_profile": b"icc"}
    GRAY.save(tmp_path / "a.png", pnginfo=texts, **options)
    metadata = read_png_metadata(tmp_path / "a.png")
    assert metadata.dots_per_inch == pytest.approx((300, 150), abs=0.02)
    metadata.dots_per_inch = None
    assert metadata == PhotoMetadata(
        exif=exif, byte_order=">", orientation=8, xmp=XMP, profile=b"icc", texts=TEXTS
    )


def test_plain_png_has_no_metadata(tmp_path):
    GRAY.save(tmp_path / "a.png")
    assert read_png_metadata(tmp_path / "a.png") == PhotoMetadata()


@pytest.mark.parametrize(("kind", "head"), [(b"iTXt", b"\1\0\0\0"), (b"zTXt", b"\0")])
def test_compressed_xmp_is_unpacked(tmp_path, kind, head):
    packed = (kind, b"XML:com.adobe.xmp\0" + head + zlib.compress(XMP))
    (tmp_path / "a.png").write_bytes(write(noise(11, 7), texts=[packed]))
    metadata = read_png_metadata(tmp_path / "a.png")
    assert (metadata.xmp, metadata.texts) == (XMP, [])


def test_content_credentials_are_not_copied_and_that_is_noted(tmp_path):
    credentials = (b"caBX", b"\0\0\0\x20jumb a signature of the gray pixels")
    (tmp_path / "a.png").write_bytes(write(noise(11, 7), texts=[credentials]))
    metadata = read_png_metadata(tmp_path / "a.png")
    [note] = metadata.notes
    assert "C2PA" in note
    assert metadata.texts == []


def test_chunks_after_the_pixels_are_read(tmp_path):
    GRAY.save(tmp_path / "a.png")
    whole, end = (tmp_path / "a.png").read_bytes(), chunk(b"IEND", b"")
    added = chunk(*TEXTS[0]) + chunk(b"eXIf", exif_of(orientation=3))
    (tmp_path / "a.png").write_bytes(whole.replace(end, added + end))
    metadata = read_png_metadata(tmp_path / "a.png")
    assert metadata == PhotoMetadata(exif=exif_of(orientation=3), orientation=3, texts=TEXTS[:1])


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


@pytest.mark.parametrize("profile", [None, b"icc"])
def test_gamma_of_a_png_counts_without_a_profile(tmp_path, profile):
    gamma = b"gAMA", struct.pack(">L", 100_000)
    texts = PngImagePlugin.PngInfo()
    texts.add(*gamma)
    GRAY.save(tmp_path / "a.png", pnginfo=texts, icc_profile=profile)
    metadata = read_png_metadata(tmp_path / "a.png")
    assert (metadata.meanings, metadata.texts) == ([] if profile else [gamma], [])


@pytest.mark.parametrize("kind", ["tEXt", "zTXt", "iTXt"])
@pytest.mark.parametrize("name", ["exif", "APP1"])
def test_exif_in_a_text_is_read_and_not_copied_twice(tmp_path, kind, name):
    exif = b"Exif\0\0" + exif_of(orientation=6)
    text = b"\n%s\n%8d\n%s\n" % (name.encode(), len(exif), exif.hex().encode())
    content = {
        "tEXt": b"\0" + text,
        "zTXt": b"\0\0" + zlib.compress(text),
        "iTXt": b"\0\1\0\0\0" + zlib.compress(text),
    }[kind]
    part = chunk(kind.encode(), b"Raw profile type " + name.encode() + content)
    file = io.BytesIO()
    Image.fromarray(noise(9, 14)).save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue()[:33] + part + file.getvalue()[33:])
    metadata = read_png_metadata(tmp_path / "a.png")
    assert (metadata.orientation, metadata.exif, metadata.texts) == (6, exif[6:], [])
    [page] = PhotoFile(tmp_path / "a.png").pages
    np.testing.assert_array_equal(next(page.strips())[0], np.rot90(noise(9, 14), -1))
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), np.rot90(noise(9, 14), -1))


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("heights", [[11], [4, 4, 3], [1] * 11, [10, 1]])
def test_pixels_are_read_back_exactly(depth, channels, heights):
    pixels = noise(11, 7, channels, depth)
    png = write(pixels, heights)
    np.testing.assert_array_equal(pixels_in(png), pixels)
    # The strips are not changed.
    np.testing.assert_array_equal(pixels, noise(11, 7, channels, depth))
    if depth == 8:
        with Image.open(io.BytesIO(png)) as by_pillow:
            assert by_pillow.mode == ("RGB" if channels == 3 else "RGBA")
            np.testing.assert_array_equal(by_pillow, pixels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_narrow_images_are_written(shape):
    pixels = noise(*shape, depth=16)
    np.testing.assert_array_equal(pixels_in(write(pixels, shape[:1])), pixels)


def test_strips_of_a_wider_array_are_written():
    # A view whose rows are not contiguous.
    pixels = noise(11, 20, depth=16)[:, 3:12]
    np.testing.assert_array_equal(pixels_in(write(pixels)), pixels)


def test_several_chunks_of_pixels_are_one_compressed_stream():
    pixels = noise(300, 300)
    pixels[:150] = 7
    png = write(pixels, [50] * 6)
    assert len(png) < 0.6 * pixels.nbytes
    assert [kind for kind, _ in chunks(png)].count(b"IDAT") > 1
    np.testing.assert_array_equal(pixels_in(png), pixels)


def test_metadata_is_read_by_pillow_and_libvips():
    exif, profile = exif_of(), srgb_profile()
    png = write(
        noise(11, 7), exif=exif, xmp=XMP, profile=profile, dots_per_inch=(300, 150.5), texts=TEXTS
    )
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["exif"].removeprefix(b"Exif\0\0") == exif
        assert image.getexif().get_ifd(GPS_INFO) == GPS
        assert image.info["xmp"] == XMP
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == pytest.approx((300, 150.5), abs=0.02)
        assert image.text["Title"] == "Großmutter"
        assert image.text["Comment"] == "in the garden"
        assert (image.text["Author"], image.text["Author"].lang) == ("Großvater", "de")
    image = pyvips.Image.new_from_buffer(png, "")
    assert bytes(image.get("icc-profile-data")) == profile
    assert bytes(image.get("exif-data")).removeprefix(b"Exif\0\0") == exif
    found = chunks(png)
    # Some readers stop at the pixels, and PNG does not allow a profile after them.
    kinds = [kind for kind, _ in found]
    expected = [b"IHDR", b"iCCP", b"pHYs", b"eXIf", *(kind for kind, _ in TEXTS), b"iTXt"]
    assert kinds == [*expected, *[b"IDAT"] * kinds.count(b"IDAT"), b"IEND"]
    assert found[4:8] == TEXTS


def test_png_without_metadata_is_only_pixels():
    assert {kind for kind, _ in chunks(write(noise(11, 7)))} == {b"IHDR", b"IDAT", b"IEND"}
