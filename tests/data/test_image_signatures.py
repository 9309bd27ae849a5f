"""Formats are known by the first bytes of a file, and nothing else is taken for one."""

import os

import pytest
from PIL import Image

from data.image_io import list_image_paths
from data.image_signatures import suffix_by_contents


@pytest.mark.parametrize(
    ("head", "suffix"),
    [
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", ".avif"),
        # The first brand is of HEIC too; a later one says that it is AVIF.
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif", ".avif"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", ".heic"),
        # What follows the list of brands is not one.
        (b"\0\0\0\x14ftypisom\0\0\0\0iso2avif", None),
        (b"RIFF\x08\0\0\0WEBP", ".webp"),
        (b"RIFF\x08\0\0\0WAVE", None),
        (b"BM\x99\0\0\0\0\0\0\0", ".bmp"),
        (b"BMX is a sport", None),
        (b"II+\0", ".tif"),
        (b"P6\n", ".pnm"),
        (b"P6x", None),
        (b"\xff\x4f\xff\x51", ".jp2"),
        (b"", None),
    ],
)
def test_format_is_known_by_its_first_bytes(head, suffix):
    assert suffix_by_contents(head) == suffix


def test_files_without_a_suffix_are_known_by_their_first_bytes(tmp_path):
    for format in ("JPEG", "PNG", "TIFF", "WEBP", "BMP", "GIF", "JPEG2000", "AVIF", "PPM", "SGI"):
        Image.new("RGB", (8, 8)).save(tmp_path / format, format)
    (tmp_path / "HEIC").write_bytes(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic")
    images = sorted(os.listdir(tmp_path))
    for name, start in (
        ("text", b"BMX is a sport"),
        ("empty", b""),
        ("film", b"\0\0\0\x18ftypisom"),
    ):
        (tmp_path / name).write_bytes(start)
    os.mkfifo(tmp_path / "pipe")
    others = []
    assert list_image_paths(tmp_path, on_other=others.append) == images
    assert sorted(others) == ["empty", "film", "pipe", "text"]
