"""Finds the photographs among the images in a TIFF, and describes how their samples are stored.

A TIFF may also hold smaller copies, masks and infrared images of its photographs, as pages or below
them (SubIFDs). In files of cameras and scanners the photograph itself may be below its thumbnail.

Reference: TIFF 6.0; Adobe Photoshop TIFF Technical Notes; DNG 1.7.
"""

import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from data.photos.exif import Directory, Entry, TiffReader
from data.photos.metadata import PhotoMetadata
from data.photos.raw_files import RAW, is_raw_image
from data.photos.tiff import tiff_metadata

_SUBIFDS, _DNG_VERSION, _MAKER = 330, 50706, 271
_DESCRIPTIONS = (270, 285)
_INFRARED = re.compile(rb"(?i:\binfra-?red\b)|\bIR\b")

# The bits of the kind of an image, and the numbers of the old tag for it.
_REDUCED, _MASK = 1, 4
_OLD_REDUCED = 2
_MASK_COLORS = 4

_OLD_JPEG = 6

# A preview is smaller than the raw image, which has a few more pixels at its edges.
_NEARLY_WHOLE = 0.8

# The `struct` codes of the integers that describe an image.
_CODES = {1: "B", 3: "H", 4: "L", 13: "L", 16: "Q", 18: "Q"}

# How many channels the colors have, by TIFF's numbers of color spaces.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR, CIELAB, ICCLAB = (
    *range(7),
    *(8, 9),
)
LAB = (CIELAB, ICCLAB)
_COLORS = {
    **dict.fromkeys((WHITE_IS_ZERO, BLACK_IS_ZERO, PALETTE, MASK), 1),
    **dict.fromkeys((RGB, YCBCR, CIELAB, ICCLAB), 3),
    CMYK: 4,
}


class BrokenTiffError(ValueError):
    """The directories of a TIFF are broken."""


@dataclass(frozen=True)
class TiffImage:
    """How one image in a TIFF is stored.

    Attributes:
        page: int, the number of its page.
        subifd: int or None, its number below the page.
        directory: `Directory`.
        order: str, `<` or `>`, the byte order.
    """

    page: int
    subifd: int | None
    directory: Directory
    order: str

    def integers(self, tag: int, *default: int) -> tuple[int, ...]:
        """The values of a tag, or the default."""
        return _integers(self.directory.entries.get(tag), self.order) or default

    def integer(self, tag: int, default: int = 0) -> int:
        """The first value of a tag, or the default."""
        return self.integers(tag, default)[0]

    @property
    def width(self) -> int:
        """The stored width."""
        return self.integer(256)

    @property
    def height(self) -> int:
        """The stored height."""
        return self.integer(257)

    @property
    def bits(self) -> tuple[int, ...]:
        """The bits of each sample."""
        bits = self.integers(258, 1)
        return bits if len(bits) == self.samples else bits[:1] * self.samples

    @property
    def number_format(self) -> int:
        """1 for unsigned integers, 2 for signed ones, 3 for floats."""
        return self.integer(339, 1)

    @property
    def photometric(self) -> int:
        """The color space."""
        return self.integer(262, RGB if self.samples >= 3 else BLACK_IS_ZERO)

    @property
    def samples(self) -> int:
        """The number of channels."""
        return self.integer(277, 1)

    @property
    def colors(self) -> int:
        """The number of channels that are colors."""
        return min(_COLORS.get(self.photometric, 1), self.samples)

    @property
    def extra_samples(self) -> tuple[int, ...]:
        """The kinds of the other channels; a channel without a kind is unspecified."""
        extra = self.samples - self.colors
        kinds = self.integers(338, *[0] * extra)[-extra:] if extra else ()
        return (*kinds, *[0] * (extra - len(kinds)))

    @property
    def compression(self) -> int:
        """TIFF's number of the compression."""
        return self.integer(259, 1)

    @property
    def is_reduced(self) -> bool:
        """Whether it is a smaller copy of another image."""
        return bool(self.integer(254) & _REDUCED) or self.integer(255) == _OLD_REDUCED

    @property
    def is_mask(self) -> bool:
        """Whether it is a mask of another image, as which some scanners store infrared."""
        return bool(self.integer(254) & _MASK) or self.photometric == _MASK_COLORS

    @property
    def is_infrared(self) -> bool:
        """Whether its description says that it is infrared."""
        entries = self.directory.entries
        texts = (entries[tag].value for tag in _DESCRIPTIONS if tag in entries)
        return self.colors == 1 and any(_INFRARED.search(text) for text in texts)

    @property
    def is_raw(self) -> bool:
        """Whether it is raw data of a sensor."""
        maker = self.directory.entries.get(_MAKER)
        # Canon's first raw files are called .tif.
        is_canon = maker is not None and maker.value.startswith(b"Canon")
        return is_raw_image(self.photometric, self.compression) or (
            is_canon and self.compression == _OLD_JPEG
        )


def find_photographs(path: Path) -> tuple[list[tuple[TiffImage, PhotoMetadata]], list[str]]:
    """Finds the photographs in a TIFF.

    Returns:
        Tuple of a list of tuples of `TiffImage` and `PhotoMetadata`, at least one, and a list of
        str, notes about what is left out.

    Raises:
        BrokenTiffError: the directories are broken, or there are none.
        ValueError: the file is raw.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            tiff = TiffReader(data)
            pages = [list(_with_children(tiff, *page)) for page in enumerate(tiff.chain())]
        except ValueError as error:
            raise BrokenTiffError(str(error)) from error
        if not pages:
            raise BrokenTiffError("it contains no page")
        photographs, notes = _choose(pages)
        return [
            (image, _metadata(tiff, pages[image.page][0].directory, image)) for image in photographs
        ], notes


def _metadata(tiff: TiffReader, page: Directory, image: TiffImage) -> PhotoMetadata:
    directory = image.directory
    if image.subifd is not None:
        # A photograph below its thumbnail is described there.
        directory = Directory(page.entries | directory.entries, page.children | directory.children)
    return replace(tiff_metadata(directory, tiff), extra_samples=image.extra_samples)


def _choose(pages: list[list[TiffImage]]) -> tuple[list[TiffImage], list[str]]:
    images = [image for page in pages for image in page]
    ordinary = [image for image in images if not image.is_raw]
    raw = max((_area(image) for image in images if image.is_raw), default=0)
    others = [_chosen(page) for page in pages]
    found = [image for image in others if image and not image.is_infrared]
    is_dng = _DNG_VERSION in pages[0][0].directory.entries
    if raw or (is_dng and not found):
        found = [image for image in found if _area(image) >= _NEARLY_WHOLE * raw]
        if not found:
            raise ValueError(RAW)
    notes = []
    if not found:
        # A page alone is colored, whatever it is called.
        found = [page[0] for page in pages if page[0] in ordinary]
        if any(image.is_reduced for image in found):
            notes.append("its pages are marked as smaller copies of a photograph not in the file")
        return found, notes
    left_out = [image for image in ordinary if image not in found and not image.is_reduced]
    infrared = sum(image.is_infrared for image in left_out)
    masks = sum(image.is_mask and not image.is_infrared for image in left_out)
    if infrared:
        notes.append("its infrared image is left out")
    if masks:
        notes.append("a mask or an infrared image in it is left out")
    return found, notes


def _chosen(page: list[TiffImage]) -> TiffImage | None:
    """The photograph of a page: itself, or a larger image below it; None if there is none."""
    images = [image for image in page if not (image.is_raw or image.is_reduced or image.is_mask)]
    return max(images, key=_area, default=None)


def _area(image: TiffImage) -> int:
    return image.width * image.height


def _with_children(tiff: TiffReader, number: int, directory: Directory) -> Iterator[TiffImage]:
    yield TiffImage(number, None, directory, tiff.order)
    offsets = _integers(directory.entries.get(_SUBIFDS), tiff.order)
    for child, offset in enumerate(offsets):
        try:
            below = tiff.directory(offset)
        except ValueError:
            continue
        yield TiffImage(number, child, below, tiff.order)


def _integers(entry: Entry | None, order: str) -> tuple[int, ...]:
    if entry is None or entry.kind not in _CODES:
        return ()
    code = _CODES[entry.kind]
    count = len(entry.value) // struct.calcsize("=" + code)
    return struct.unpack_from(f"{order}{count}{code}", entry.value)
