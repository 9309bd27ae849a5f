"""Decodes the formats that only Pillow and its plugins read, with the depth that they give."""

from pathlib import Path

import numpy as np
from PIL import Image

from data.image_io import open_with_pillow
from data.photos.deep_samples import scale_floats, scale_integers

# Gray of 16 bits, of 32 bits, and floats.
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")
_DEEP_MODES = (*_SIXTEEN_BITS, "I", "F")
_WHITE_16 = 65535

_HEAD = 4096


class PillowDecoder:
    """Decodes an image with Pillow.

    Args:
        path: the file.
        image: `PIL.Image.Image`, the opened file; its pixels are not decoded.

    Attributes:
        channels: int, 1 (gray), 3 (RGB) or 4 (RGB and alpha).
        is_deep: bool, whether it is read with 16 bits.
        note: str, about what Pillow loses, or an empty string.
    """

    def __init__(self, path: Path, image: Image.Image):
        self._path = path
        self.is_deep = image.mode in _DEEP_MODES
        self._mode = image.mode if self.is_deep else _plain_mode(image)
        self.channels = 1 if self.is_deep else len(self._mode)
        self._bits = _bits(path, image)
        self.note = ""
        if self._bits > 8 and not self.is_deep:
            self.note = f"only 8 of its {self._bits} bits are read"

    def decode(self) -> tuple[np.ndarray, str]:
        """Reads the pixels: uint8 or uint16 (height, width) or (height, width, channels).

        Returns:
            Tuple of the array, and a note about it, or an empty string.

        Raises:
            ValueError: the numbers cannot be scaled.
        """
        with open_with_pillow(self._path) as image:
            if not self.is_deep:
                return np.asarray(
                    image if image.mode == self._mode else image.convert(self._mode)
                ), ""
            numbers = np.asarray(image)
        if self._mode == "F":
            return scale_floats(numbers)
        if self._mode in _SIXTEEN_BITS:
            # Pillow shifts fewer bits to the left, so that the largest number is not white.
            shifted = numbers.astype("uint16")
            return shifted | (shifted >> self._bits if 8 < self._bits < 16 else 0), ""
        if numbers.min() < 0:
            raise ValueError("its pixels are of a kind that cannot be decoded: negative integers")
        return scale_integers(numbers, 16 if numbers.max() <= _WHITE_16 else 32)


def _plain_mode(image: Image.Image) -> str:
    """The Pillow mode of gray or RGB that holds an image."""
    if image.mode in ("L", "RGB", "RGBA"):
        return image.mode
    return "RGBA" if image.has_transparency_data else "RGB"


def _bits(path: Path, image: Image.Image) -> int:
    """The bits of each sample of the formats whose depth Pillow does not tell; 8 for others."""
    with open(path, "rb") as file:
        head = file.read(_HEAD)
    if image.format == "JPEG2000":
        # The size segment: 36 bytes, the number of components, and the depth of the first.
        size = head.find(b"\xff\x4f\xff\x51")
        return (head[size + 42] & 0x7F) + 1 if 0 <= size < len(head) - 42 else 8
    if image.format == "SGI":
        return 8 * head[3]
    if image.format == "AVIF":
        # Its configuration: after a byte of versions and one of levels come the flags of depth.
        flags = head[head.find(b"av1C") + 6] if b"av1C" in head[:-6] else 0
        return (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    return 8
