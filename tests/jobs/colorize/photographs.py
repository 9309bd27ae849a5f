"""Photographs to color in tests, and what became of them."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import color

from data import image_io as images

# HEIC is tested only where its optional library is installed.
HEIC = ["heic"] if images.is_heif_supported() else []

not_for_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


def photograph(path, size=(40, 30), mode="RGB", seed=None, **options):
    """Writes a gray gradient or, with a seed, gray noise."""
    pixels = np.linspace(60, 200, size[0] * size[1])
    if seed is not None:
        pixels = np.random.default_rng(seed).integers(0, 256, size[0] * size[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    gray = Image.fromarray(pixels.astype("uint8").reshape(size[1], size[0]))
    gray.convert(mode).save(path, **options)
    return path


def truncate(path):
    """Truncates a file to half its size."""
    os.truncate(path, path.stat().st_size // 2)


def write_bombs(folder):
    """Writes small files whose headers claim 30,000 x 30,000 pixels."""
    head = b"IHDR" + struct.pack(">LLBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    chunks = [
        struct.pack(">L", len(chunk) - 4) + chunk + struct.pack(">L", zlib.crc32(chunk))
        for chunk in (head, b"IDAT", b"IEND")
    ]
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    tiff = photograph(folder / "bomb.tif", size=(40, 30), mode="L")
    content = tiff.read_bytes()
    for tag, side in ((256, 40), (257, 30)):
        small, huge = (struct.pack("<HHLL", tag, 4, 1, pixels) for pixels in (side, 30_000))
        assert small in content
        content = content.replace(small, huge)
    tiff.write_bytes(content)


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def lightness_of(path):
    return color.rgb2lab(pixels_of(path).astype("uint8"))[..., 0]


def files_below(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def summary(colored=0, skipped=0, failed=0, output_dir="results"):
    return (
        f"{colored} colored, {skipped} skipped because they already exist, {failed} failed; "
        f"output in {output_dir}\n"
    )
