"""Writes colored photographs with their metadata, completely or not at all."""

import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from data.atomic import write_beside
from data.photos.exif import EXIF_PREFIX
from data.photos.metadata import PHOTOSHOP_HEADER, PhotoMetadata
from data.photos.page import PhotoPage, to_depth
from data.photos.png import write_png
from data.photos.tiff import TiffWriter

# The format of each suffix. GIF is missing, because its palette cannot store the colors.
FORMATS = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **dict.fromkeys((".tif", ".tiff"), "TIFF"),
    **dict.fromkeys((".heic", ".heif"), "HEIF"),
    **{".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"},
}

_WITH_ALPHA = ("PNG", "TIFF", "WEBP", "HEIF")
_WITH_16_BITS = ("PNG", "TIFF", "HEIF")
_WITH_METADATA = ("JPEG", "PNG", "TIFF", "WEBP", "HEIF")

# The longest side in pixels, for formats with a limit that a photograph may reach.
_LONGEST_SIDES = {"JPEG": 65500, "WEBP": 16383}

# The length of a JPEG segment has 16 bits; these are the sizes that Pillow can fit into one.
_LARGEST = {"exif": 65527, "xmp": 65504, "comment": 65533}
_LARGEST_PHOTOSHOP = 65519


def what_is_lost(path: str | os.PathLike, pages: list[PhotoPage]) -> list[str]:
    """Describes what the format of a file cannot store of a photograph.

    Args:
        path: the file to be written; its suffix determines the format.
        pages: list of `PhotoPage`, the pages of the photograph.

    Returns:
        List of str, one for each loss.
    """
    kind = FORMATS[Path(path).suffix.lower()]
    losses = []
    if len(pages) > 1 and kind != "TIFF":
        losses.append(f"{kind} stores only one page of its {len(pages)}")
    if any(page.has_alpha for page in pages) and kind not in _WITH_ALPHA:
        losses.append(f"{kind} cannot store transparency, which is composited on white")
    if any(page.depth == 16 for page in pages) and kind not in _WITH_16_BITS:
        losses.append(f"{kind} stores only 8 bits of its 16")
    return losses + _lost_words(kind, pages[0].metadata)


def _lost_words(kind: str, metadata: PhotoMetadata) -> list[str]:
    losses = []
    if kind not in _WITH_METADATA and (metadata.exif or metadata.xmp or metadata.profile):
        losses.append(f"{kind} cannot store EXIF, XMP or a profile")
    if metadata.comment and kind != "JPEG":
        losses.append(f"its comment is not written to {kind}")
    if metadata.photoshop and kind != "JPEG":
        losses.append(f"its Photoshop captions (IPTC) are not written to {kind}")
    if metadata.words and kind != "PNG":
        losses.append(f"its PNG texts are not written to {kind}")
    if metadata.dots_per_inch and not metadata.exif and kind in ("WEBP", "HEIF"):
        losses.append(f"its resolution is not written to {kind}")
    if kind == "JPEG":
        losses += [
            f"its {name.upper()} is too large for JPEG"
            for name, limit in _LARGEST.items()
            if len(getattr(metadata, name)) > limit
        ]
    return losses


def write_photo(
    path: str | os.PathLike,
    pages: Iterable[tuple[PhotoPage, Iterable[np.ndarray]]],
    quality: int = 95,
) -> None:
    """Writes a photograph in the format of its suffix, completely or not at all.

    What the format cannot store is dropped (`what_is_lost` describes it). If the format stores only
    one page, the first is written.

    Args:
        path: the file; an existing one is replaced once the new one is complete.
        pages: iterable of tuples of the `PhotoPage` that was colored, for its size and metadata,
            and its new pixels: strips from top to bottom, uint8 or uint16 of shape
            (rows, width, 3 or 4).
        quality: int from 1 to 100, the quality of JPEG, lossy WebP and HEIC. Chroma is not
            subsampled where the format allows it, because color is what this program adds.
            Defaults to `95`.

    Raises:
        OSError: the file cannot be written.
        ValueError: the photograph is too large for the format.
    """
    kind = FORMATS[Path(path).suffix.lower()]
    with write_beside(path) as temporary, open(temporary, "wb") as file:
        if kind == "TIFF":
            _write_tiff(file, pages)
            return
        page, strips = next(iter(pages))
        if max(page.height, page.width) > _LONGEST_SIDES.get(kind, math.inf):
            raise ValueError(
                f"{kind} allows {_LONGEST_SIDES[kind]} pixels a side; give another format"
            )
        if kind == "PNG":
            write_png(file, strips, page.height, page.width, page.metadata)
        elif kind == "HEIF":
            _write_heif(file, _assemble(page, strips, kind), page.metadata, quality)
        else:
            _write_with_pillow(file, kind, _assemble(page, strips, kind), page.metadata, quality)


def _assemble(page: PhotoPage, strips: Iterable[np.ndarray], kind: str) -> np.ndarray:
    depth = page.depth if kind in _WITH_16_BITS else 8
    channels = 4 if page.has_alpha and kind in _WITH_ALPHA else 3
    pixels = np.empty((page.height, page.width, channels), f"uint{depth}")
    top = 0
    for strip in strips:
        if strip.shape[2] > channels:
            strip = _on_white(strip)
        pixels[top : top + len(strip)] = to_depth(strip, depth)
        top += len(strip)
    return pixels


def _on_white(pixels: np.ndarray) -> np.ndarray:
    white = float(np.iinfo(pixels.dtype).max)
    alpha = pixels[..., 3:] / white
    return np.round(pixels[..., :3] * alpha + white * (1.0 - alpha)).astype(pixels.dtype)


def _write_tiff(file: BinaryIO, pages: Iterable[tuple[PhotoPage, Iterable[np.ndarray]]]) -> None:
    writer = None
    for page, strips in pages:
        writer = writer or TiffWriter(file, page.metadata.byte_order)
        writer.add_page(strips, page.height, page.width, page.metadata)


def _write_heif(file: BinaryIO, pixels: np.ndarray, metadata: PhotoMetadata, quality: int) -> None:
    import pillow_heif

    mode = ("RGBA" if pixels.shape[2] == 4 else "RGB") + (";16" if pixels.itemsize == 2 else "")
    heif = pillow_heif.from_bytes(mode, pixels.shape[1::-1], pixels.tobytes())
    present = {
        "exif": metadata.exif and EXIF_PREFIX + metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.profile,
    }
    heif.save(file, quality=quality, chroma=444, **{k: v for k, v in present.items() if v})


def _write_with_pillow(
    file: BinaryIO, kind: str, pixels: np.ndarray, metadata: PhotoMetadata, quality: int
) -> None:
    options = {
        "exif": metadata.exif and EXIF_PREFIX + metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.profile,
        "dpi": metadata.dots_per_inch,
    }
    if kind == "JPEG":
        options |= {"comment": metadata.comment, "extra": _photoshop_segments(metadata.photoshop)}
        for name, limit in _LARGEST.items():
            if len(getattr(metadata, name)) > limit:
                options[name] = b""
        options |= {"quality": quality, "subsampling": 0}
    elif kind == "WEBP":
        options |= {"lossless": metadata.lossless, "quality": quality, "exact": True}
    options = {name: value for name, value in options.items() if value is not None and value != b""}
    Image.fromarray(pixels).save(_Stream(file), kind, **options)


class _Stream:
    """A file without a descriptor: with one, Pillow's encoders ignore disk errors."""

    def __init__(self, file: BinaryIO):
        self.write, self.flush = file.write, file.flush
        self.seek, self.tell = file.seek, file.tell


def _photoshop_segments(resources: bytes) -> bytes:
    parts = [
        PHOTOSHOP_HEADER + resources[start : start + _LARGEST_PHOTOSHOP]
        for start in range(0, len(resources), _LARGEST_PHOTOSHOP)
    ]
    return b"".join(b"\xff\xed" + (len(part) + 2).to_bytes(2, "big") + part for part in parts)
