"""Decodes JPEGs and finds out whether a part of them is missing.

libjpeg fills what is missing with gray and only warns, which Pillow does not tell and libvips tells
for some damages. But Pillow's decoder takes the file piece by piece. A JPEG is therefore given to
it without its end marker: if the decoder wants more than there is, or is done before it has seen
the last byte, a part of the file is missing or was overwritten. This costs nothing.

Reference: ITU-T T.81, annex B.
"""

import io
import struct
import zlib

import numpy as np
import pyvips
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from data.image_io import MAXIMUM_PIXELS, TOO_LARGE, UnreadableImageError
from data.photos.exif import EXIF_PREFIX, orientation_of

SIGNATURE = b"\xff\xd8\xff"

NO_END = "its end marker is missing; all of its pixels are there"
DAMAGED = "damaged in the middle: a part of its data is missing or was overwritten"
_CUT_OFF = "damaged or truncated"

# The factors by which a JPEG can be shrunk while it is decoded.
SHRINKS = (8, 4, 2, 1)

END = b"\xff\xd9"
_SCAN, _TABLES, _RESTARTS, _BASELINE, _EXTENDED = 0xDA, 0xC4, 0xDD, 0xC0, 0xC1

# The decoder reads up to this many bytes ahead.
_AHEAD = bytes(8)

# A sector of a disk that was lost. The codes of an image are all zeros only where it is flat.
_LOST = bytes(48)

# The JPEGs of several passes that were found whole, by their length and checksum. Training reads
# each again and again.
_whole: set[tuple[int, int]] = set()

_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_CHANNELS = {mode: channels for channels, mode in _MODES.items()}


class JpegImage:
    """A JPEG in memory.

    Args:
        encoded: bytes of the file.

    Attributes:
        width: int, the stored width.
        height: int, the stored height.
        mode: str, Pillow's mode: L, RGB or CMYK.
        profile: bytes, the ICC profile; empty if there is none.
        orientation: int, 1 to 8, from EXIF.

    Raises:
        UnreadableImageError: the image is too large.
        SyntaxError, OSError: the head is broken.

    Example:
        from pathlib import Path

        jpeg = JpegImage(Path("gray.jpg").read_bytes())
        image, defect = jpeg.decode(shrink=2)
    """

    def __init__(self, encoded: bytes):
        self._encoded = encoded
        # Most files end with their end marker, and are decoded with the head that is read here.
        self._file = io.BytesIO((encoded[:-2] if encoded.endswith(END) else encoded) + _AHEAD)
        self._header: JpegImageFile | None = JpegImageFile(self._file)
        header = self._header
        self.width, self.height = header.size
        if self.width * self.height > MAXIMUM_PIXELS:
            raise UnreadableImageError(f"{self.width} x {self.height} pixels, {TOO_LARGE}")
        self.mode = header.mode
        self.profile = header.info.get("icc_profile") or b""
        exif = header.info.get("exif") or b""
        self.orientation = orientation_of(exif.removeprefix(EXIF_PREFIX)) if exif else 1
        self._read_segments()

    def decode(self, shrink: int = 1) -> tuple[Image.Image, str]:
        """Decodes the image.

        Args:
            shrink: int, 1, 2, 4 or 8, by which the sides are divided at most. Defaults to `1`.

        Returns:
            Tuple of the `PIL.Image.Image` of the stored orientation, of mode L, RGB or CMYK, and
            its defect: `DAMAGED`, `NO_END`, or an empty string.

        Raises:
            UnreadableImageError: the end of the file is missing, or it cannot be decoded.
        """
        ends = [len(self._encoded) - 2] if self._encoded.endswith(END) else []
        # What follows the end marker, such as a video, is no part of the image.
        first = self._encoded.find(END, self._scan)
        ends += [first if first >= 0 else len(self._encoded)]
        defect = NO_END if first < 0 else ""
        if not self._can_check:
            return self._decode_in_passes(ends[-1], shrink, defect)
        for end in dict.fromkeys(ends):
            if image := self._decode_exactly(end, shrink):
                defect = DAMAGED if self._has_lost_sector(end) else defect
                if self.mode == "CMYK":
                    # Pillow inverts the numbers of some.
                    image = self._decode_with_vips(end, shrink, "none")
                return image, defect
        # Some writers fill up the data before the end marker.
        filled = len(self._encoded[: ends[-1]].rstrip(b"\0\xff"))
        if image := self._decode_exactly(filled, shrink):
            return image, defect
        if first < 0:
            raise UnreadableImageError(_CUT_OFF)
        return self._decode_with_vips(ends[-1], shrink, "none"), DAMAGED

    def with_end(self) -> bytes:
        """The bytes of the file, with an end marker if only that is missing.

        Raises:
            UnreadableImageError: more than the end marker is missing.
        """
        if self._encoded.find(END, self._scan) >= 0:
            return self._encoded
        self.decode(SHRINKS[0])
        return self._encoded + END

    def _read_segments(self) -> None:
        """Finds the beginning of the scan, and whether its end can be checked."""
        position, kinds, self._zeros_are_flat = 2, set(), True
        while True:
            marker, size = struct.unpack_from(">xBH", self._encoded, position)
            if marker == 0xFF:
                position += 1
                continue
            if marker == _SCAN:
                break
            kinds.add(marker)
            if marker == _TABLES:
                self._read_tables(self._encoded[position + 4 : position + 2 + size])
            position += 2 + size
        self._scan = position
        # Other kinds of JPEG are decoded in several passes, or go on after a damage.
        is_one_scan = self._encoded[position + 4] == _CHANNELS.get(self.mode)
        self._has_one_scan = bool(kinds & {_BASELINE, _EXTENDED}) and is_one_scan
        self._can_check = self._has_one_scan and _RESTARTS not in kinds

    def _read_tables(self, tables: bytes) -> None:
        position = 0
        while position + 17 < len(tables):
            kind = tables[position] >> 4
            # The shortest code consists of zeros. For flat images it is made the end of a block.
            if kind == 1 and tables[position + 17] != 0:
                self._zeros_are_flat = False
            position += 17 + sum(tables[position + 1 : position + 17])

    def _has_lost_sector(self, end: int) -> bool:
        return not self._zeros_are_flat and self._encoded.find(_LOST, self._scan, end) >= 0

    def _decode_exactly(self, end: int, shrink: int) -> Image.Image | None:
        """Decodes the data before `end` with Pillow, or returns None if they are not all needed."""
        try:
            if self._header and end == len(self._file.getbuffer()) - len(_AHEAD):
                file, image, self._header = self._file, self._header, None
            else:
                file = io.BytesIO(self._encoded[:end] + _AHEAD)
                image = JpegImageFile(file)
            # The decoder gets everything but the last byte first.
            image.decodermaxblock = end - 1
            self._load(image, shrink)
        except OSError:
            return None
        return image if file.tell() > end else None

    def _load(self, image: JpegImageFile, shrink: int) -> None:
        if shrink > 1:
            image.draft(None, (max(1, self.width // shrink), max(1, self.height // shrink)))
        image.load()

    def _decode_in_passes(self, end: int, shrink: int, defect: str) -> tuple[Image.Image, str]:
        """Decodes a JPEG whose damages only the warnings of libjpeg tell."""
        key = len(self._encoded), zlib.crc32(self._encoded)
        if key not in _whole:
            if self._is_corrupt(end):
                if defect == NO_END:
                    raise UnreadableImageError(_CUT_OFF)
                return self._decode_with_vips(end, shrink, "none"), DAMAGED
            _whole.add(key)
        if self.mode == "CMYK":
            return self._decode_with_vips(end, shrink, "error"), defect
        image = JpegImageFile(io.BytesIO(self._encoded[:end] + END))
        self._load(image, shrink)
        return image, defect

    def _is_corrupt(self, end: int) -> bool:
        # libvips does not tell the warnings of the last rows.
        if self._has_one_scan and (
            self._has_lost_sector(end) or not self._decode_exactly(end, SHRINKS[0])
        ):
            return True
        try:
            # The smallest image is enough: at any size all of the data is decoded.
            self._decode_with_vips(end, SHRINKS[0], "warning")
        except pyvips.Error as error:
            return "Corrupt JPEG data" in error.detail
        return False

    def _decode_with_vips(self, end: int, shrink: int, fail_on: str) -> Image.Image:
        shrinking = {"shrink": shrink} if shrink > 1 else {}
        image = pyvips.Image.new_from_buffer(
            self._encoded[:end] + END, "", access="sequential", fail_on=fail_on, **shrinking
        )
        pixels = np.ascontiguousarray(image.numpy().squeeze())
        # Pillow takes four channels for RGBA.
        return Image.frombuffer(_MODES[image.bands], (image.width, image.height), pixels)
