"""The metadata of a photograph: EXIF, XMP, resolution, text and color profile."""

import dataclasses
import mmap
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from data.photos.exif import (
    ORIENTATION,
    Directory,
    Entry,
    Layout,
    make_exif,
    orientation_of,
    read_directory,
    read_layout,
    strip_prefix,
    upright_exif,
    without,
)

# The TIFF tags that describe how the pixels are stored or point to other parts of the file. They
# are not copied: the writer has its own. The last ones are Photoshop's layers, which contain the
# gray image again.
_STRUCTURE = frozenset(
    [*range(254, 260), *range(262, 267), 273, 274, *range(277, 285), *range(288, 294), 296, 301]
    + [*range(317, 329), 330, *range(332, 335), 336, *range(338, 348), *range(400, 406)]
    + [*range(433, 436), *range(512, 522), *range(529, 533), 559, 700, 34675, 37724, 50784]
)
_NEW_SUBFILE_TYPE, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 254, 282, 283, 296
_XMP, _ICC, _PHOTOSHOP = 700, 34675, 34377
_CENTIMETER = 3

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_XMP = b"XML:com.adobe.xmp\0"

# The PNG chunks with texts or the time, and those that define which colors its numbers mean.
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")
_PNG_MEANINGS = (b"gAMA", b"cHRM", b"sRGB", b"cICP")
_METER = 1

# The profiles of scanners have 2 MB.
_LARGEST_PROFILE = 2**26

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
        texts: list of tuples (type, contents), the PNG chunks with texts or the time.
        meanings: list of tuples (type, contents), the PNG chunks that define which colors its
            numbers mean.
        profile: bytes, the ICC profile; empty if there is none.
        lossless: bool, whether a WebP is compressed without loss.
        is_auxiliary: bool, whether a page of a TIFF is a smaller copy or a mask of another page.
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
    is_auxiliary: bool = False
    images: int = 1
    is_odd: bool = False

    def __post_init__(self):
        # No scan has more; files that claim so are broken, and writers fail on such numbers.
        if self.dots_per_inch and not all(0 < dots <= 65535 for dots in self.dots_per_inch):
            self.dots_per_inch = None

    @property
    def texts_hold_xmp(self) -> bool:
        """Whether the XMP is one of the texts of a PNG, with which it is written."""
        return len(self.words) < len(self.texts)

    @property
    def words(self) -> list[tuple[bytes, bytes]]:
        """The texts of a PNG other than XMP."""
        return [(kind, text) for kind, text in self.texts if not _is_xmp(text)]

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
            except (ValueError, struct.error):
                exif = b""
                notes.append("its EXIF is broken and is not copied")
        metadata = dataclasses.replace(self, exif=exif, orientation=1)
        metadata.xmp = re.sub(rb"(?s)<xmp:Thumbnails>.*?</xmp:Thumbnails>", b"", self.xmp)
        if orientation_of(self.exif) != 1 or self.orientation != 1:
            # The orientation in XMP repeats that of EXIF; alone it has no effect.
            metadata.xmp = _upright_xmp(metadata.xmp)
            metadata.texts = [(kind, _upright_text(kind, text)) for kind, text in self.texts]
        return metadata, notes


def read_metadata(path: Path, image: Image.Image) -> PhotoMetadata:
    """Reads the metadata of a file that is neither a TIFF nor a PNG.

    Args:
        path: the file.
        image: `PIL.Image.Image`, the opened file; its pixels are not decoded.
    """
    information = image.info
    metadata = PhotoMetadata(
        exif=strip_prefix(information.get("exif") or b""),
        xmp=_as_bytes(information.get("xmp") or b""),
        dots_per_inch=_dots_per_inch(information),
        comment=_as_bytes(information.get("comment") or b""),
        profile=information.get("icc_profile") or b"",
        images=getattr(image, "n_frames", 1),
    )
    if image.format in ("JPEG", "MPO"):
        metadata.photoshop = _without_thumbnails(_app13(image))
    elif image.format == "WEBP":
        metadata.lossless = _is_lossless_webp(path)
    metadata.byte_order = _byte_order(metadata.exif)
    # The decoded pixels of HEIF are upright, whatever its EXIF says.
    if image.format != "HEIF":
        metadata.orientation = orientation_of(metadata.exif)
    return metadata


def read_png_metadata(path: Path) -> PhotoMetadata:
    """Reads the metadata of a PNG."""
    chunks = list(_png_chunks(path))
    last = dict(chunks)
    texts = [(kind, content) for kind, content in chunks if kind in _PNG_TEXTS]
    packets = [_itxt_text(text) for _, text in texts if _is_xmp(text)]
    exif = strip_prefix(last.get(b"eXIf", b""))
    profile = _png_profile(last[b"iCCP"]) if b"iCCP" in last else b""
    return PhotoMetadata(
        exif=exif,
        byte_order=_byte_order(exif),
        xmp=packets[0] if packets else b"",
        dots_per_inch=_png_dots_per_inch(last.get(b"pHYs", b"")),
        orientation=orientation_of(exif),
        texts=texts,
        # A profile takes precedence over these chunks.
        meanings=[] if profile else [chunk for chunk in chunks if chunk[0] in _PNG_MEANINGS],
        profile=profile,
        images=int.from_bytes(last[b"acTL"][:4], "big") if b"acTL" in last else 1,
    )


def read_tiff_metadata(path: Path) -> list[PhotoMetadata]:
    """Reads the metadata of each page of a TIFF.

    Raises:
        ValueError: the directories are broken.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        layout = read_layout(data)
        return [_metadata_of(directory, layout) for directory in _chain(data, layout)]


def descriptive_tags(exif: bytes) -> Directory:
    """The tags of an EXIF block that a TIFF may contain in addition to its own."""
    if not exif:
        return Directory()
    layout = read_layout(exif)
    return without(read_directory(exif, layout, layout.first), _STRUCTURE)


def _chain(data: bytes, layout: Layout) -> Iterator[Directory]:
    offset, seen = layout.first, set()
    while offset and offset not in seen:
        seen.add(offset)
        directory = read_directory(data, layout, offset)
        yield directory
        offset = directory.next


def _metadata_of(directory: Directory, layout: Layout) -> PhotoMetadata:
    numbers = {
        tag: _first_number(directory.entries.get(tag), layout)
        for tag in (ORIENTATION, _NEW_SUBFILE_TYPE)
    }
    description = without(directory, _STRUCTURE)
    photoshop = description.entries.get(_PHOTOSHOP)
    if photoshop:
        value = _without_thumbnails(photoshop.value)
        description.entries[_PHOTOSHOP] = Entry(photoshop.kind, len(value), value)
    empty = not description.entries and not description.children
    return PhotoMetadata(
        exif=b"" if empty else make_exif(description, layout.order),
        byte_order=layout.order,
        xmp=directory.entries[_XMP].value if _XMP in directory.entries else b"",
        profile=directory.entries[_ICC].value if _ICC in directory.entries else b"",
        dots_per_inch=_tiff_dots_per_inch(directory, layout),
        orientation=numbers[ORIENTATION] if numbers[ORIENTATION] in range(1, 9) else 1,
        # The bits of a smaller copy and of a mask.
        is_auxiliary=bool((numbers[_NEW_SUBFILE_TYPE] or 0) & 5),
        is_odd=numbers[ORIENTATION] not in (None, *range(1, 9)),
    )


def _first_number(entry: Entry | None, layout: Layout) -> float | None:
    if entry is None:
        return None
    if entry.kind == 5:
        numerator, denominator = struct.unpack_from(layout.order + "LL", entry.value)
        return numerator / denominator if denominator else None
    formats = {1: "B", 3: "H", 4: "L", 11: "f", 12: "d", 16: "Q"}
    if entry.kind not in formats:
        return None
    return struct.unpack_from(layout.order + formats[entry.kind], entry.value)[0]


def _tiff_dots_per_inch(directory: Directory, layout: Layout) -> tuple[float, float] | None:
    across, down, unit = (
        _first_number(directory.entries.get(tag), layout)
        for tag in (_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT)
    )
    # With unit 1, only the ratio of the two is meaningful.
    if not across or not down or unit == 1:
        return None
    inches = 2.54 if unit == _CENTIMETER else 1.0
    return across * inches, down * inches


def _dots_per_inch(information: dict) -> tuple[float, float] | None:
    dots = information.get("dpi")
    try:
        across, down = float(dots[0]), float(dots[1])
    except (TypeError, ValueError, IndexError, ZeroDivisionError):
        return None
    return across, down


def _byte_order(exif: bytes) -> str:
    return ">" if exif.startswith(b"MM") else "<"


def _as_bytes(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _upright_xmp(xmp: bytes) -> bytes:
    return re.sub(
        rb"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)[2-8](\s*["'<])""", rb"\g<1>1\g<2>", xmp
    )


def _upright_text(kind: bytes, text: bytes) -> bytes:
    return _upright_xmp(text) if kind == b"iTXt" and _is_xmp(text) else text


def _app13(image: Image.Image) -> bytes:
    """Photoshop's resources, which may extend over several segments."""
    segments = [data for name, data in getattr(image, "applist", []) if name == "APP13"]
    return b"".join(
        data.removeprefix(PHOTOSHOP_HEADER)
        for data in segments
        if data.startswith(PHOTOSHOP_HEADER)
    )


def _without_thumbnails(resources: bytes) -> bytes:
    """Photoshop's resources without thumbnails, which show the original photograph."""
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


def _png_chunks(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yields the type and contents of the metadata chunks of a PNG."""
    with open(path, "rb") as file:
        file.seek(len(PNG_SIGNATURE))
        while len(head := file.read(8)) == 8:
            size, kind = struct.unpack(">L4s", head)
            if kind in (*_PNG_TEXTS, *_PNG_MEANINGS, b"eXIf", b"pHYs", b"iCCP", b"acTL"):
                yield kind, file.read(size)
            else:
                file.seek(size, 1)
            file.seek(4, 1)


def _png_profile(chunk: bytes) -> bytes:
    compressed = chunk.partition(b"\0")[2][1:]
    try:
        return zlib.decompressobj().decompress(compressed, _LARGEST_PROFILE)
    except zlib.error:
        # Not a valid profile, which `PhotoPage` reports.
        return compressed


def _png_dots_per_inch(chunk: bytes) -> tuple[float, float] | None:
    if len(chunk) != 9 or chunk[8] != _METER:
        return None
    across, down = struct.unpack_from(">LL", chunk)
    return across * 0.0254, down * 0.0254


def _is_xmp(text: bytes) -> bool:
    return text.startswith(PNG_XMP)


def _itxt_text(chunk: bytes) -> bytes:
    """The text of an iTXt chunk of XMP; empty if it is compressed."""
    # Keyword, compression flag, compression method, language, translated keyword, text.
    rest = chunk[len(PNG_XMP) :]
    return rest[2:].split(b"\0", 2)[-1] if rest[:1] == b"\0" else b""


def _is_lossless_webp(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(12)
        while len(head := file.read(8)) == 8:
            kind, size = struct.unpack("<4sL", head)
            if kind in (b"VP8L", b"VP8 "):
                return kind == b"VP8L"
            file.seek(size + size % 2, 1)
    return False
