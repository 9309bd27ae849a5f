"""The metadata of a photograph: EXIF, XMP, resolution, text and color profile."""

import dataclasses
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from data.photos.exif import EXIF_PREFIX, orientation_of, upright_exif, without_pixel_description
from data.photos.jpeg_segments import read_jpeg_extras
from data.photos.xmp_upright import NO_CREDENTIALS, NO_VIDEO, upright_xmp

# Photoshop's resources that contain a thumbnail.
_THUMBNAILS = (1033, 1036)

# What is before XMP in a GIF, and what begins the bytes that lead readers of blocks to its end.
_GIF_XMP, _GIF_XMP_END = b"\x21\xff\x0bXMP DataXMP", b"\x01\xff\xfe\xfd"

# The box of HEIF that contains content credentials.
_C2PA_UUID = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


@dataclass
class PhotoMetadata:
    """The metadata that is copied from a photograph to its colored version.

    Attributes:
        exif: bytes of a TIFF structure, without the prefix in a JPEG; empty if there is none.
        byte_order: str, `<` or `>`, the byte order of the EXIF.
        xmp: bytes of the XML packet; empty if there is none.
        dots_per_inch: tuple of two floats, horizontal and vertical, or None.
        orientation: int, 1 to 8, the EXIF orientation of the stored pixels.
        comments: list of bytes, the comments of a JPEG.
        photoshop: bytes, Photoshop's resources, which contain the IPTC captions.
        texts: list of tuples (type, contents), the PNG chunks with texts or the time, without XMP.
        meanings: list of tuples (type, contents), the PNG chunks that define which colors its
            numbers mean.
        profile: bytes, the ICC profile; empty if there is none.
        lossless: bool, whether a WebP is compressed without loss.
        images: int, the number of images in a file of one page: the frames of an animation, or
            additional images from a phone.
        is_odd: bool, whether a page of a TIFF has an invalid orientation.
        notes: list of str, what the file contains that is not copied.
        extra_samples: tuple of int, the kinds of the channels of a TIFF beside its colors; empty
            for other formats, whose fourth channel is alpha.
    """

    exif: bytes = b""
    byte_order: str = "<"
    xmp: bytes = b""
    dots_per_inch: tuple[float, float] | None = None
    orientation: int = 1
    comments: list[bytes] = field(default_factory=list)
    photoshop: bytes = b""
    texts: list[tuple[bytes, bytes]] = field(default_factory=list)
    meanings: list[tuple[bytes, bytes]] = field(default_factory=list)
    profile: bytes = b""
    lossless: bool = False
    images: int = 1
    is_odd: bool = False
    notes: list[str] = field(default_factory=list)
    extra_samples: tuple[int, ...] = ()

    def __post_init__(self):
        if self.exif.startswith(b"MM"):
            self.byte_order = ">"
        # No scan has more; files that claim so are broken, and writers fail on such numbers.
        if self.dots_per_inch and not all(0 < dots <= 65535 for dots in self.dots_per_inch):
            self.dots_per_inch = None

    def upright(
        self, height: int, width: int, channels: int = 3, keeps_profile: bool = True
    ) -> tuple["PhotoMetadata", list[str]]:
        """Adapts the metadata to the colored, upright photograph.

        Args:
            height: int, the height of the upright photograph.
            width: int, the width of the upright photograph.
            channels: int, 3, or 4 with alpha. Defaults to `3`.
            keeps_profile: bool, whether the colored photograph has the profile of the stored one.
                Defaults to `True`.

        Returns:
            Tuple of the new `PhotoMetadata` and a list of str, notes about what was dropped.
        """
        notes = list(self.notes)
        exif, xmp = self.exif, self.xmp
        if exif:
            try:
                exif = upright_exif(exif, height, width, channels, self.orientation)
                exif, dropped = without_pixel_description(exif)
                notes += dropped
            except ValueError:
                exif = b""
                notes.append("its EXIF is broken and is not copied")
        if xmp:
            is_marked_turned = orientation_of(self.exif) != 1
            try:
                xmp, dropped = upright_xmp(
                    xmp, height, width, channels, self.orientation, is_marked_turned, keeps_profile
                )
                notes += dropped
            except ValueError:
                xmp = b""
                notes.append("its XMP is broken and is not copied")
        # What is noted of the file may be noted of its XMP too.
        notes = list(dict.fromkeys(notes))
        return dataclasses.replace(self, exif=exif, xmp=xmp, orientation=1, notes=[]), notes


def read_metadata(path: Path, image: Image.Image) -> PhotoMetadata:
    """Reads the metadata of a file that is neither a TIFF nor a PNG.

    Args:
        path: the file.
        image: `PIL.Image.Image`, the opened file; its pixels are not decoded.
    """
    information = image.info
    exif = (information.get("exif") or b"").removeprefix(EXIF_PREFIX)
    comment = _as_bytes(information.get("comment") or b"")
    metadata = PhotoMetadata(
        exif=exif,
        xmp=_as_bytes(information.get("xmp") or b""),
        dots_per_inch=_dots_per_inch(information),
        # The decoded pixels of HEIF are upright, whatever its EXIF says.
        orientation=1 if image.format == "HEIF" else orientation_of(exif),
        comments=[comment] if comment else [],
        profile=information.get("icc_profile") or b"",
        images=getattr(image, "n_frames", 1),
    )
    if image.format in ("JPEG", "MPO"):
        extras = read_jpeg_extras(path, metadata.images)
        metadata.comments, metadata.xmp, metadata.notes = extras.comments, extras.xmp, extras.notes
        metadata.photoshop = without_thumbnails(extras.photoshop)
        metadata.images -= extras.has_gain_map and metadata.images > 1
    elif image.format == "GIF":
        metadata.xmp = _gif_xmp(path)
    elif image.format == "WEBP":
        chunks = [kind for kind, _ in _riff_chunks(path)]
        metadata.lossless = b"VP8L" in chunks and b"VP8 " not in chunks
        metadata.notes = [NO_CREDENTIALS] if b"C2PA" in chunks else []
    elif image.format in ("HEIF", "AVIF"):
        metadata.notes = _notes_on_boxes(path)
    return metadata


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


def _gif_xmp(path: Path) -> bytes:
    """The XMP in a GIF, which Pillow does not give; it is not divided into blocks."""
    behind = path.read_bytes().partition(_GIF_XMP)[2]
    return behind.partition(_GIF_XMP_END)[0]


def _riff_chunks(path: Path) -> Iterator[tuple[bytes, int]]:
    """Yields the types and sizes of the chunks of a WebP, of which animations contain others."""
    with open(path, "rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack("<4sL", head)
            yield kind, size
            file.seek(size + size % 2, 1)


def _notes_on_boxes(path: Path) -> list[str]:
    """Notes about the boxes at the top level of a HEIF or AVIF that are not copied."""
    notes = []
    with open(path, "rb") as file:
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">L4s", head)
            begin = file.tell()
            if kind == b"mpvd":
                notes.append(NO_VIDEO)
            elif kind == b"uuid" and file.read(16) == _C2PA_UUID:
                notes.append(NO_CREDENTIALS)
            if size == 1:
                file.seek(begin)
                size = int.from_bytes(file.read(8), "big")
            if size < 8:
                # It extends to the end of the file, or is broken.
                break
            file.seek(begin - 8 + size)
    return notes
