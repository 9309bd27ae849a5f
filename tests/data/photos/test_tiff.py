"""Written TIFFs are read by tifffile, Pillow and libvips."""

import io
import itertools

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import ExifTags, Image

from data.photos.metadata import PhotoMetadata
from data.photos.profiles import srgb_profile
from data.photos.tiff import write_tiff
from tests.data.photos.samples import (
    EXIF,
    GPS,
    GPS_INFO,
    MAKE,
    NOTES,
    ORDERS,
    XMP,
    exif_of,
    in_strips,
    noise,
)

XMP_TAG, PROFILE_TAG = 700, 34675


def write(*pages, order="<", rows=4, **metadata):
    """A TIFF with pages of the same metadata."""
    file = io.BytesIO()
    metadata = PhotoMetadata(byte_order=order, **metadata)
    write_tiff(file, ((metadata, in_strips(pixels, rows)) for pixels in pages))
    return file.getvalue()


def tiff_of(content):
    return tifffile.TiffFile(io.BytesIO(content))


@ORDERS
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("rows", [1, 4, 11, 100])
def test_pixels_are_read_back_exactly(order, depth, channels, rows):
    pixels = noise(11, 7, channels, depth)
    content = write(pixels, order=order, rows=rows)
    # The strips are not changed.
    np.testing.assert_array_equal(pixels, noise(11, 7, channels, depth))
    with tiff_of(content) as tiff:
        [page] = tiff.pages
        assert tiff.byteorder == order
        assert page.rowsperstrip == min(rows, 11)
        assert page.photometric == tifffile.PHOTOMETRIC.RGB
        # Alpha is not multiplied into the colors.
        assert page.extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,) * (channels - 3)
        np.testing.assert_array_equal(page.asarray(), pixels)
    image = pyvips.Image.new_from_buffer(content, "")
    assert image.interpretation == ("srgb" if depth == 8 else "rgb16")
    np.testing.assert_array_equal(image.numpy(), pixels)
    if depth == 8:
        with Image.open(io.BytesIO(content)) as by_pillow:
            assert by_pillow.mode == ("RGB" if channels == 3 else "RGBA")
            np.testing.assert_array_equal(by_pillow, pixels)


def test_smooth_pixels_are_compressed():
    pixels = np.repeat(np.arange(200, dtype="uint16")[:, None, None] * 300, 200, 1).repeat(3, 2)
    assert len(write(pixels)) < pixels.nbytes / 10


@ORDERS
def test_pages_may_differ_in_everything(order):
    pages = [
        noise(11, 7, 3, 8),
        noise(5, 40, 4, 16, seed=1),
        noise(1, 1, 3, 16, seed=2),
        noise(30, 3, 4, 8, seed=3),
    ]
    content = write(*pages, order=order)
    with tiff_of(content) as tiff:
        for page, pixels in zip(tiff.pages, pages, strict=True):
            np.testing.assert_array_equal(page.asarray().reshape(pixels.shape), pixels)
    for number, pixels in enumerate(pages):
        image = pyvips.Image.new_from_buffer(content, "", page=number)
        np.testing.assert_array_equal(image.numpy(), pixels)
    with Image.open(io.BytesIO(content)) as by_pillow:
        assert by_pillow.n_frames == len(pages)
        by_pillow.seek(3)
        np.testing.assert_array_equal(by_pillow, pages[3])


@ORDERS
def test_metadata_is_read_by_others_on_every_page(order):
    profile = srgb_profile()
    content = write(
        *(noise(), noise(5, 5)),
        order=order,
        exif=exif_of(order),
        xmp=XMP,
        profile=profile,
        dots_per_inch=(300.0, 299.72),
    )
    with Image.open(io.BytesIO(content)) as image:
        for number in range(2):
            image.seek(number)
            assert image.tag_v2[MAKE] == "Nikon"
            assert image.getexif().get_ifd(EXIF)[0x927C] == NOTES
            assert image.getexif().get_ifd(GPS_INFO) == GPS
            assert image.info["icc_profile"] == profile
            assert image.info["xmp"] == XMP
            assert image.info["dpi"] == pytest.approx((300.0, 299.72), abs=1e-4)
    with tiff_of(content) as tiff:
        tags = tiff.pages[0].tags
        assert tags[XMP_TAG].value == XMP
        assert tags[PROFILE_TAG].value == profile
        assert tags["GPSTag"].value["GPSLatitudeRef"] == "N"
    image = pyvips.Image.new_from_buffer(content, "")
    assert bytes(image.get("icc-profile-data")) == profile
    assert bytes(image.get("xmp-data")) == XMP


def test_page_without_metadata_has_only_layout_tags():
    with tiff_of(write(noise())) as tiff:
        tags = {tag.name for tag in tiff.pages[0].tags}
    assert tags == {
        *("ImageWidth", "ImageLength", "BitsPerSample", "Compression"),
        *("PhotometricInterpretation", "StripOffsets", "SamplesPerPixel", "RowsPerStrip"),
        *("StripByteCounts", "Predictor"),
    }


def test_layout_tags_in_exif_are_replaced_by_those_of_the_pixels():
    # EXIF from a JPEG contains the orientation, resolution and size of the original.
    exif = exif_of(orientation=6, ImageWidth=4000, ImageLength=3000, XResolution=72.0)
    with Image.open(io.BytesIO(write(noise(11, 7), exif=exif, dots_per_inch=(300, 300)))) as image:
        assert image.size == (7, 11)
        assert image.getexif().get(ExifTags.Base.Orientation, 1) == 1
        assert image.info["dpi"] == (300, 300)
        assert image.tag_v2[MAKE] == "Nikon"


@ORDERS
def test_offsets_are_even_and_nothing_overlaps(order):
    # TIFF 6.0 requires word boundaries; values of odd sizes would shift the next ones off them.
    pages = [noise(), noise(3, 5, seed=1)]
    content = write(
        *pages, order=order, exif=exif_of(order), xmp=XMP + b"\n", dots_per_inch=(72, 72)
    )
    with tiff_of(content) as tiff:
        ranges = []
        for page in tiff.pages:
            ranges += zip(page.dataoffsets, page.databytecounts, strict=True)
            ranges.append((page.offset, 2 + 12 * len(page.tags) + 4))
            ranges += [
                (tag.valueoffset, tag.valuebytecount) for tag in page.tags if tag.valuebytecount > 4
            ]
    assert all(offset % 2 == 0 for offset, _ in ranges)
    ranges.sort()
    assert ranges[0][0] >= 8
    assert ranges[-1][0] + ranges[-1][1] <= len(content)
    for (offset, size), (following, _) in itertools.pairwise(ranges):
        assert offset + size <= following


class AlmostFull(io.BytesIO):
    """A file that reports an end shortly before 4 GiB."""

    def seek(self, offset, whence=io.SEEK_SET):
        return 2**32 - 100 if whence == io.SEEK_END else super().seek(offset, whence)


def test_more_than_tiff_can_store_is_an_error():
    with pytest.raises(ValueError, match="4 GiB"):
        write_tiff(AlmostFull(), [(PhotoMetadata(), [noise()])])
