"""The metadata of a photograph: EXIF, XMP, resolution, text and color profile."""

import dataclasses
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from data.photos.exif import EXIF_PREFIX, orientation_of, upright_exif

# The prefix of Photoshop's resources in a JPEG, and the resources that contain a thumbnail.
PHOTOSHOP_HEADER = b"Photoshop 3.0\0"
_THUMBNAILS = (1033, 1036)


@dataclass
class PhotoMetadata:
    """The metadata that is copied from a photograph to its colored version.

    Attributes:
        exif: bytes of a TIFF structure, without the prefix in a JPEG; empty if there is none.
        byte_order: str, `<` or `>`, the byte order of the EXIF.
        xmp: bytes of the XML packet; empty if there is none.
        dots_per_inch: tuple of two floats, horizontal and vertical, or None.
        orientation: int, 1 to 8, the EXIF orientation of the stored pixels.
        comment: bytes, the comment of a JPEG.
        photoshop: bytes, Photoshop's resources, which contain the IPTC captions.
        texts: list of tuples (type, contents), the PNG chunks with texts or the time, without XMP.
        meanings: list of tuples (type, contents), the PNG chunks that define which colors its
            numbers mean.
        profile: bytes, the ICC profile; empty if there is none.
        lossless: bool, whether a WebP is compressed without loss.
        images: int, the number of images in a file of one page: the frames of an animation, or
            additional images from a phone.
        is_odd: bool, whether a page of a TIFF has an invalid orientation.
    """

    exif: bytes = b""
    byte_order: str = "<"
    xmp: bytes = b""
    dots_per_inch: tuple[float, float] | None = None
    orientation: int = 1
    comment: bytes = b""
    photoshop: bytes = b""
    texts: list[tuple[bytes, bytes]] = field(default_factory=list)
    meanings: list[tuple[bytes, bytes]] = field(default_factory=list)
    profile: bytes = b""
    lossless: bool = False
    images: int = 1
    is_odd: bool = False

    def __post_init__(self):
        if self.exif.startswith(b"MM"):
            self.byte_order = ">"
        # No scan has more; files that claim so are broken, and writers fail on such numbers.
        if self.dots_per_inch and not all(0 < dots <= 65535 for dots in self.dots_per_inch):
            self.dots_per_inch = None

    def upright(self, height: int, width: int) -> tuple["PhotoMetadata", list[str]]:
        """Adapts the metadata to the colored, upright photograph.

        Args:
            height: int, the height of the upright photograph.
            width: int, the width of the upright photograph.

        Returns:
            Tuple of the new `PhotoMetadata` and a list of str, notes about what was dropped.
        """
        notes = []
        exif = self.exif
        if exif:
            try:
                exif = upright_exif(exif, height, width)
            except ValueError:
                exif = b""
                notes.append("its EXIF is broken and is not copied")
        xmp = re.sub(rb"(?s)<xmp:Thumbnails>.*?</xmp:Thumbnails>", b"", self.xmp)
        if orientation_of(self.exif) != 1 or self.orientation != 1:
            # The orientation in XMP repeats that of EXIF; alone it has no effect.
            xmp = re.sub(
                rb"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)[2-8](\s*["'<])""", rb"\g<1>1\g<2>", xmp
            )
        return dataclasses.replace(self, exif=exif, xmp=xmp, orientation=1), notes


def read_metadata(path: Path, image: Image.Image) -> PhotoMetadata:
    """Reads the metadata of a file that is neither a TIFF nor a PNG.

    Args:
        path: the file.
        image: `PIL.Image.Image`, the opened file; its pixels are not decoded.
    """
    information = image.info
    exif = (information.get("exif") or b"").removeprefix(EXIF_PREFIX)
    return PhotoMetadata(
        exif=exif,
        xmp=_as_bytes(information.get("xmp") or b""),
        dots_per_inch=_dots_per_inch(information),
        # The decoded pixels of HEIF are upright, whatever its EXIF says.
        orientation=1 if image.format == "HEIF" else orientation_of(exif),
        comment=_as_bytes(information.get("comment") or b""),
        photoshop=without_thumbnails(_app13(image)),
        profile=information.get("icc_profile") or b"",
        lossless=image.format == "WEBP" and _is_lossless_webp(path),
        images=getattr(image, "n_frames", 1),
    )


def without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's resources without thumbnails, which show the original photograph.

    Pillow's dict of the resources has no names, so it cannot be written back.
    """
    kept, position = [], 0
    while resources[position : position + 4] == b"8BIM":
        name_size = resources[position + 6] + 1 if position + 6 < len(resources) else 0
        size_position = position + 6 + name_size + name_size % 2
        if size_position + 4 > len(resources):
            break
        (size,) = struct.unpack_from(">L", resources, size_position)
        end = size_position + 4 + size + size % 2
        if struct.unpack_from(">H", resources, position + 4)[0] not in _THUMBNAILS:
            kept.append(resources[position:end])
        position = end
    return b"".join(kept)


def _dots_per_inch(information: dict) -> tuple[float, float] | None:
    try:
        across, down = information["dpi"]
        return float(across), float(down)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def _as_bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _app13(image: Image.Image) -> bytes:
    """Photoshop's resources, which may extend over several segments of a JPEG."""
    return b"".join(
        data.removeprefix(PHOTOSHOP_HEADER)
        for name, data in getattr(image, "applist", [])
        if name == "APP13" and data.startswith(PHOTOSHOP_HEADER)
    )


def _is_lossless_webp(path: Path) -> bool:
    # Neither Pillow nor libvips tells.
    with open(path, "rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack("<4sL", head)
            if kind in (b"VP8L", b"VP8 "):
                return kind == b"VP8L"
            file.seek(size + size % 2, 1)
    return False
