"""Coloring and training read the same pixels, and the right ones, from every kind of file.

Each cell of the matrix is a file of a few pixels that is written here or by Pillow. Its pixels are
known: they are made as numbers from 0 to 1, stored, and compared with what both readers return.
"""

import numpy as np
import pytest
from PIL import Image

from data.photos.profiles import srgb_profile
from tests.data.photos.matrix import ALPHA, HEIGHT, WIDTH, mismatch, numbers, upright
from tests.data.photos.samples import P3


def p3_to_srgb(rgb):
    """Display P3 as sRGB: the curve is the same, and the primaries are others."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_srgb = [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
    linear = np.clip(linear @ np.transpose(to_srgb), 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


# The modes and depths of each format, and how far its pixels are from what was saved.
FORMATS = {
    "png": (("L", "LA", "RGB", "RGBA", "I;16"), 0.0, {}),
    "webp": (("RGB", "RGBA"), 0.0, {"lossless": True, "exact": True}),
    "jpg": (("L", "RGB"), 0.02, {"quality": 100, "subsampling": 0}),
    "tif": (("L", "RGB", "RGBA", "I;16"), 0.0, {}),
    "avif": (("RGB",), 0.06, {"quality": 100, "subsampling": "4:4:4"}),
}
PROFILES = {"none": b"", "sRGB": srgb_profile(), "P3": P3}
CELLS = [
    (suffix, mode, profile, orientation)
    for suffix, (modes, _, _) in FORMATS.items()
    for mode in modes
    for profile in PROFILES
    for orientation in range(1, 9)
]


@pytest.mark.parametrize("suffix", FORMATS)
def test_modes_profiles_and_orientations_are_read_rightly(tmp_path, suffix):
    wrong = {}
    for cell in CELLS:
        if cell[0] != suffix:
            continue
        _, mode, profile, orientation = cell
        _, tolerance, options = FORMATS[suffix]
        has_alpha = mode.endswith("A")
        every = numbers(2 if mode == "LA" else len(mode) if mode != "I;16" else 1)
        if suffix in ("jpg", "avif"):
            # Smooth, because these formats are not exact.
            y, x = np.mgrid[:HEIGHT, :WIDTH]
            every = np.stack([y / HEIGHT, x / WIDTH, 0.5 + 0.0 * x], axis=-1)[..., : every.shape[2]]
        white = 65535 if mode == "I;16" else 255
        stored = np.round(every * white).astype("uint16" if mode == "I;16" else "uint8")
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = Image.fromarray(stored.squeeze())
        image.save(
            tmp_path / f"a.{suffix}", exif=exif, icc_profile=PROFILES[profile] or None, **options
        )
        colors, alpha = np.split(stored / white, [stored.shape[2] - has_alpha], axis=2)
        if profile == "P3":
            colors = p3_to_srgb(np.broadcast_to(colors, (HEIGHT, WIDTH, 3)))
            tolerance += 0.02
        expected = [upright(part, orientation) for part in (colors, alpha)]
        try:
            kinds = (ALPHA,) * has_alpha
            problem = mismatch(tmp_path / f"a.{suffix}", *expected, kinds, tolerance)
        except Exception as error:
            problem = repr(error)
        if problem:
            wrong[cell] = problem
    assert wrong == {}


def test_matrix_has_so_many_cells():
    assert len(CELLS) == 336
