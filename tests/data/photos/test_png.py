"""Written PNG files are read by Pillow and libvips, and their chunks are in order."""

import io
import struct
import zlib

import numpy as np
import pytest
import pyvips
from PIL import ExifTags, Image

from data.photos.metadata import PhotoMetadata
from data.photos.png import write_png
from data.photos.profiles import srgb_profile

XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">Gro\xc3\x9fmutter</x:xmpmeta>'
XMP_TEXT = (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)


def noise(height=11, width=7, channels=3, depth=8):
    generator = np.random.default_rng(0)
    return generator.integers(0, 2**depth, (height, width, channels), f"uint{depth}")


def write(pixels, heights=(4, 4, 3), **metadata):
    file = io.BytesIO()
    strips = np.split(pixels, np.cumsum(heights)[:-1])
    write_png(file, strips, *pixels.shape[:2], PhotoMetadata(**metadata))
    return file.getvalue()


def exif_of():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Nikon"
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (48.0, 12.0, 30.5)}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def chunks(png):
    """The kinds and contents of the chunks, whose checksums are verified."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    offset, found = 8, []
    while offset < len(png):
        size, kind = struct.unpack_from(">L4s", png, offset)
        content = png[offset + 8 : offset + 8 + size]
        assert struct.unpack_from(">L", png, offset + 8 + size)[0] == zlib.crc32(kind + content)
        found.append((kind, content))
        offset += 12 + size
    return found


# --- pixels ------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("heights", [[11], [4, 4, 3], [1] * 11, [10, 1]])
def test_pixels_are_read_back_exactly(depth, channels, heights):
    pixels = noise(channels=channels, depth=depth)
    png = write(pixels, heights)
    image = pyvips.Image.new_from_buffer(png, "", fail_on="warning")
    assert image.interpretation == ("srgb" if depth == 8 else "rgb16")
    np.testing.assert_array_equal(image.numpy(), pixels)
    if depth == 8:
        with Image.open(io.BytesIO(png)) as by_pillow:
            assert by_pillow.mode == ("RGB" if channels == 3 else "RGBA")
            np.testing.assert_array_equal(by_pillow, pixels)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1)])
def test_narrow_images_are_written(shape):
    pixels = noise(*shape, depth=16)
    image = pyvips.Image.new_from_buffer(write(pixels, [shape[0]]), "")
    np.testing.assert_array_equal(image.numpy(), pixels)


def test_strips_of_a_wider_array_are_written():
    # A view whose rows are not contiguous.
    pixels = noise(width=20, depth=16)[:, 3:12]
    image = pyvips.Image.new_from_buffer(write(pixels), "")
    np.testing.assert_array_equal(image.numpy(), pixels)


def test_strips_are_not_changed():
    pixels = noise(depth=16)
    write(pixels)
    np.testing.assert_array_equal(pixels, noise(depth=16))


def test_several_chunks_of_pixels_are_one_stream():
    pixels = noise(300, 300)
    png = write(pixels, [50] * 6)
    kinds = [kind for kind, _ in chunks(png)]
    assert kinds.count(b"IDAT") > 1
    with Image.open(io.BytesIO(png)) as by_pillow:
        np.testing.assert_array_equal(by_pillow, pixels)


def test_smooth_pixels_are_compressed():
    pixels = np.repeat(np.arange(200, dtype="uint16")[:, None, None] * 300, 200, 1).repeat(3, 2)
    assert len(write(pixels, [100, 100])) < pixels.nbytes / 10


# --- metadata ----------------------------------------------------------------------------------


def test_metadata_is_read_by_pillow():
    profile = srgb_profile()
    texts = [
        (b"tEXt", b"Title\0Grandmother"),
        (b"zTXt", b"Comment\0\0" + zlib.compress(b"in the garden")),
        (b"iTXt", b"Author\0\0\0de\0Autor\0" + "Großvater".encode()),
    ]
    png = write(
        noise(), exif=exif_of(), xmp=XMP, profile=profile, dots_per_inch=(300, 150.5), texts=texts
    )
    with Image.open(io.BytesIO(png)) as image:
        assert image.info["exif"].removeprefix(b"Exif\0\0") == exif_of()
        assert image.getexif().get_ifd(ExifTags.IFD.GPSInfo) == {1: "N", 2: (48.0, 12.0, 30.5)}
        assert image.info["xmp"] == XMP
        assert image.info["icc_profile"] == profile
        assert image.info["dpi"] == pytest.approx((300, 150.5), abs=0.02)
        assert image.text["Title"] == "Grandmother"
        assert image.text["Comment"] == "in the garden"
        assert image.text["Author"] == "Großvater"
        assert image.text["Author"].lang == "de"
    image = pyvips.Image.new_from_buffer(png, "")
    assert bytes(image.get("icc-profile-data")) == profile
    assert bytes(image.get("exif-data")).removeprefix(b"Exif\0\0") == exif_of()


def test_metadata_is_written_before_the_pixels():
    # Some readers stop at the pixels, and PNG does not allow a profile after them.
    png = write(noise(), exif=exif_of(), xmp=XMP, profile=srgb_profile(), dots_per_inch=(72, 72))
    kinds = [kind for kind, _ in chunks(png)]
    assert kinds[0] == b"IHDR"
    assert set(kinds[1:5]) == {b"iCCP", b"pHYs", b"eXIf", b"iTXt"}
    assert set(kinds[5:-1]) == {b"IDAT"}
    assert kinds[-1] == b"IEND"


def test_png_without_metadata_is_only_pixels():
    assert {kind for kind, _ in chunks(write(noise()))} == {b"IHDR", b"IDAT", b"IEND"}


def test_texts_are_saved_byte_for_byte():
    texts = [(b"tEXt", b"Title\0Gro\xdfmutter"), (b"tIME", b"\x07\xe4\1\2\3\4\5")]
    found = chunks(write(noise(), texts=texts))
    assert [chunk for chunk in found if chunk[0] in (b"tEXt", b"tIME")] == texts


def test_xmp_in_the_texts_is_not_written_twice():
    found = chunks(write(noise(), texts=[XMP_TEXT], xmp=XMP))
    assert [chunk for chunk in found if chunk[0] == b"iTXt"] == [XMP_TEXT]
