"""The formats that only Pillow reads keep the depth and the direction that they have."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps, features

from data.photos.file import PhotoFile
from tests.data.photos.matrix import mismatch, numbers
from tests.data.photos.samples import HEIGHT, WIDTH, noise, pixels_in, pixels_of, solid, why


@pytest.mark.parametrize("white", [1023, 4095, 65535])
def test_jpeg_2000_of_deep_gray_is_read_rightly(tmp_path, white):
    image = Image.fromarray(np.round(numbers(1)[..., 0] * 65535).astype("uint16"))
    file = io.BytesIO()
    image.save(file, "JPEG2000")
    (tmp_path / "a.jp2").write_bytes(file.getvalue())
    assert mismatch(tmp_path / "a.jp2", numbers(1)) is None


@pytest.mark.skipif(not features.check("avif"), reason="this version of Pillow cannot read AVIF")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_upright_as_with_pillow(tmp_path, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    lying = solid((255, 0, 0), 96, 64)
    lying[:32, :32] = 0, 0, 255
    Image.fromarray(lying).save(tmp_path / "a.avif", exif=exif)
    with Image.open(tmp_path / "a.avif") as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened)).astype(int)
    pixels = pixels_in(tmp_path / "a.avif")
    assert pixels.shape == expected.shape
    assert np.abs(pixels - expected).max() <= 2


def test_photograph_that_pillow_reads_is_not_decoded_for_its_head(tmp_path, monkeypatch):
    # Otherwise one decoded photograph per thread would be in memory.
    Image.fromarray(noise()).save(tmp_path / "a.bmp")
    monkeypatch.setattr(Image.Image, "load", None)
    [page] = PhotoFile(tmp_path / "a.bmp").pages
    assert (page.height, page.width, page.depth, page.has_alpha) == (HEIGHT, WIDTH, 8, False)


def test_depth_that_pillow_reduces_is_noted(tmp_path):
    Image.fromarray(noise()).save(tmp_path / "a.sgi", bpc=2)
    photo = PhotoFile(tmp_path / "a.sgi")
    np.testing.assert_array_equal(pixels_of(photo.pages[0]), noise())
    assert photo.notes == ["only 8 of its 16 bits are read"]


def fits(integers):
    """A FITS image of 32 bits."""
    height, width = integers.shape
    cards = {"SIMPLE": "T", "BITPIX": 32, "NAXIS": 2, "NAXIS1": width, "NAXIS2": height}
    head = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in cards.items()) + "END"
    return head.ljust(2880).encode() + integers[::-1].astype(">i4").tobytes()


@pytest.mark.parametrize("largest", [255, 65535])
def test_deep_integers_keep_their_bits(tmp_path, largest):
    integers = np.linspace(0, largest, HEIGHT * WIDTH).astype("int32").reshape(HEIGHT, WIDTH)
    (tmp_path / "a.fits").write_bytes(fits(integers))
    np.testing.assert_array_equal(pixels_in(tmp_path / "a.fits")[..., 0], integers)


def test_negative_integers_are_refused(tmp_path):
    (tmp_path / "a.fits").write_bytes(fits(np.full((HEIGHT, WIDTH), -1, "int32")))
    assert "negative integers" in why(tmp_path / "a.fits")
