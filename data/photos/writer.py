"""Writes colored photographs with their metadata, completely or not at all."""

import dataclasses
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from data.atomic import write_beside
from data.photos.exif import EXIF_PREFIX
from data.photos.jpeg_segments import LARGEST_SEGMENT, write_segments
from data.photos.metadata import PhotoMetadata
from data.photos.page import PREMULTIPLIED, PhotoPage, on_white, to_depth
from data.photos.png import write_png
from data.photos.provenance import Provenance
from data.photos.tiff import write_tiff
from errors import InputError, shown

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

# The length of a JPEG segment has 16 bits, and EXIF cannot be split.
_LARGEST_EXIF = LARGEST_SEGMENT - len(EXIF_PREFIX)


def what_is_lost(
    path: str | os.PathLike, pages: list[PhotoPage], provenance: Provenance | None = None
) -> list[str]:
    """Describes what the format of a file cannot store of a photograph.

    Args:
        path: the file to be written; its suffix determines the format.
        pages: list of `PhotoPage`, the pages of the photograph.
        provenance: `Provenance` or None, as for `write_photo`. Defaults to `None`.

    Returns:
        List of str, one for each loss.

    Raises:
        InputError: no format has this suffix.
    """
    kind, metadata = _format_of(path), pages[0].metadata
    losses = {
        f"{kind} stores only one page of its {len(pages)}": len(pages) > 1 and kind != "TIFF",
        f"{kind} cannot store transparency, which is composited on white": (
            any(page.alpha is not None for page in pages) and kind not in _WITH_ALPHA
        ),
        f"{kind} cannot store its extra channel (infrared, a selection), which is left out": (
            any(_has_other_samples(page) for page in pages) and kind != "TIFF"
        ),
        f"{kind} stores only 8 bits of its 16": (
            any(page.depth == 16 for page in pages) and kind not in _WITH_16_BITS
        ),
        f"{kind} cannot store EXIF, XMP or a profile": (
            (metadata.exif or metadata.xmp or metadata.profile) and kind not in _WITH_METADATA
        ),
        f"{kind} cannot store that the colors are machine-made": (
            provenance and kind not in _WITH_METADATA
        ),
        f"its comment is not written to {kind}": metadata.comments and kind != "JPEG",
        f"its Photoshop captions (IPTC) are not written to {kind}": (
            metadata.photoshop and kind != "JPEG"
        ),
        f"its PNG texts are not written to {kind}": metadata.texts and kind != "PNG",
        f"its resolution is not written to {kind}": (
            metadata.dots_per_inch and not metadata.exif and kind in ("WEBP", "HEIF")
        ),
    }
    if kind == "JPEG":
        losses |= {
            "its EXIF is too large for JPEG": len(metadata.exif) > _LARGEST_EXIF,
            "its comment is too large for JPEG": any(
                len(comment) > LARGEST_SEGMENT for comment in metadata.comments
            ),
        }
    return [loss for loss, is_lost in losses.items() if is_lost]


def write_photo(
    path: str | os.PathLike,
    pages: Iterable[tuple[PhotoPage, Iterable[np.ndarray]]],
    quality: int = 95,
    provenance: Provenance | None = None,
) -> None:
    """Writes a photograph in the format of its suffix, completely or not at all.

    What the format cannot store is dropped (`what_is_lost` describes it). If the format stores only
    one page, the first is written.

    Args:
        path: the file; an existing one is replaced once the new one is complete.
        pages: iterable of tuples of the `PhotoPage` that was colored, for its size and metadata,
            and its new pixels: strips from top to bottom, uint8 or uint16 of shape
            (rows, width, 3 and the extra samples of the page).
        quality: int from 1 to 100, the quality of JPEG, lossy WebP and HEIC. Chroma is not
            subsampled where the format allows it, because color is what this program adds.
            Defaults to `95`.
        provenance: `Provenance` or None, what made the colors, which the XMP says then. Defaults
            to `None`.

    Raises:
        InputError: no format has this suffix, or the photograph is too large for the format.
        OSError: the file cannot be written.
    """
    kind = _format_of(path)
    with write_beside(path) as temporary, open(temporary, "wb") as file:
        if kind == "TIFF":
            write_tiff(
                file,
                ((_metadata(page, provenance), _stored(page, strips)) for page, strips in pages),
            )
            return
        page, strips = next(iter(pages))
        metadata = _metadata(page, provenance)
        if max(page.height, page.width) > _LONGEST_SIDES.get(kind, math.inf):
            raise InputError(
                f"{kind} allows {_LONGEST_SIDES[kind]} pixels a side; give another format. "
                f"Received: {page.width} x {page.height}"
            )
        if kind == "PNG":
            strips = (_without_other_samples(page, strip) for strip in strips)
            write_png(file, strips, page.height, page.width, metadata)
        else:
            _write_whole(file, kind, _assemble(page, strips, kind), metadata, quality)


def _format_of(path: str | os.PathLike) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise InputError(
            f"a colored photograph should be written to a name that ends in one of "
            f"{' '.join(FORMATS)}. Received: {shown(path)}"
        )
    return FORMATS[suffix]


def _metadata(page: PhotoPage, provenance: Provenance | None) -> PhotoMetadata:
    if not provenance:
        return page.metadata
    return dataclasses.replace(page.metadata, xmp=provenance.added_to(page.metadata.xmp))


def _assemble(page: PhotoPage, strips: Iterable[np.ndarray], kind: str) -> np.ndarray:
    depth = page.depth if kind in _WITH_16_BITS else 8
    channels = 4 if page.alpha is not None and kind in _WITH_ALPHA else 3
    pixels = np.empty((page.height, page.width, channels), f"uint{depth}")
    top = 0
    for strip in strips:
        strip = _without_other_samples(page, strip)
        if strip.shape[2] > channels:
            strip = on_white(strip[..., :3], strip[..., 3:])
        pixels[top : top + len(strip)] = to_depth(strip, depth)
        top += len(strip)
    return pixels


def _has_other_samples(page: PhotoPage) -> bool:
    """Whether a page has a channel that is neither color nor alpha."""
    return len(page.extra_samples) > (page.alpha is not None)


def _without_other_samples(page: PhotoPage, strip: np.ndarray) -> np.ndarray:
    """The colors of a strip and its alpha, if there is one."""
    if not _has_other_samples(page):
        return strip
    alpha = [] if page.alpha is None else [3 + page.alpha]
    return strip[..., [0, 1, 2, *alpha]]


def _stored(page: PhotoPage, strips: Iterable[np.ndarray]) -> Iterable[np.ndarray]:
    """The strips as a TIFF stores them: colors multiplied by alpha where they were read so."""
    if page.alpha is None or page.extra_samples[page.alpha] != PREMULTIPLIED:
        return strips
    return (_premultiplied(strip, 3 + page.alpha) for strip in strips)


def _premultiplied(strip: np.ndarray, alpha: int) -> np.ndarray:
    share = strip[..., alpha : alpha + 1] / float(np.iinfo(strip.dtype).max)
    colors = np.round(strip[..., :3] * share).astype(strip.dtype)
    return np.concatenate([colors, strip[..., 3:]], axis=-1)


def _write_whole(
    file: BinaryIO, kind: str, pixels: np.ndarray, metadata: PhotoMetadata, quality: int
) -> None:
    """Writes an image that is in memory as a whole, with Pillow or its plugin for HEIC."""
    options = {
        "exif": metadata.exif and EXIF_PREFIX + metadata.exif,
        "xmp": metadata.xmp,
        "icc_profile": metadata.profile,
        "dpi": metadata.dots_per_inch,
        "quality": quality,
    }
    if kind == "JPEG":
        comments = [text for text in metadata.comments if len(text) <= LARGEST_SEGMENT]
        options |= {
            "extra": write_segments(comments, metadata.photoshop, metadata.xmp),
            # In `extra`.
            "xmp": b"",
            "exif": b"" if len(metadata.exif) > _LARGEST_EXIF else options["exif"],
            "subsampling": 0,
        }
    elif kind == "WEBP":
        options |= {"lossless": metadata.lossless, "exact": True}
    options = {name: value for name, value in options.items() if value is not None and value != b""}
    if kind != "HEIF":
        # Pillow needs only the four methods.
        Image.fromarray(pixels).save(_Stream(file), kind, **options)  # type: ignore[arg-type]
        return
    # Pillow's images have no 16 bits.
    import pillow_heif

    mode = ("RGBA" if pixels.shape[2] == 4 else "RGB") + (";16" if pixels.itemsize == 2 else "")
    heif = pillow_heif.from_bytes(mode, pixels.shape[1::-1], pixels.tobytes())
    heif.save(file, chroma=444, **options)


class _Stream:
    """A file without a descriptor: with one, Pillow's encoders ignore disk errors."""

    def __init__(self, file: BinaryIO):
        self.write, self.flush = file.write, file.flush
        self.seek, self.tell = file.seek, file.tell
