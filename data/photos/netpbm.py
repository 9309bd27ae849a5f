"""Reads Netpbm images with their whole depth: PGM, PPM, PAM and PFM.

Pillow clips gray of 16 bits and PFM to 255, reduces color to 8 bits, and knows few kinds of PAM.

Reference: the Netpbm manual, pages pgm, ppm, pam and pfm.
"""

import os
import re

import numpy as np

from data.photos.deep_samples import scale_floats, scale_to_white

# A white space after the head ends it; comments go from a number sign to the end of the line.
_GAP = rb"(?:\s|#[^\n]*\n)+"
_NUMBER = rb"(\d+)"
_HEAD = re.compile(rb"P([2356])" + (_GAP + _NUMBER) * 3 + rb"\s")
_PFM_HEAD = re.compile(rb"P([fF])" + (_GAP + _NUMBER) * 2 + _GAP + rb"([-+.\deE]+)\s")
_PAM_HEAD = re.compile(rb"P7\n(.*?)ENDHDR\n", re.DOTALL)
_SIGNATURE = re.compile(rb"P[23567Ff]\s")
_LONGEST_HEAD = 4096
_CUT_OFF = "damaged: the end is missing"


class NetpbmImage:
    """The head of a Netpbm image.

    Args:
        path: the file.

    Attributes:
        width: int, the width.
        height: int, the height.
        channels: int, 1 to 4; the second or fourth is alpha.
        is_deep: bool, whether the image is read with 16 bits.

    Raises:
        ValueError: the head is broken.
    """

    def __init__(self, path: str | os.PathLike):
        self._path = path
        with open(path, "rb") as file:
            head = file.read(_LONGEST_HEAD)
        self._is_float = head[1:2] in b"fF"
        self._is_text = head[1:2] in b"23"
        self._white = 1
        if match := _PAM_HEAD.match(head):
            lines = (line.split() for line in match[1].splitlines())
            fields = {line[0]: line[1] for line in lines if len(line) > 1}
            names = (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
            if any(not fields.get(name, b"").isdigit() for name in names):
                raise ValueError("damaged: its head is broken")
            self.width, self.height, self.channels, self._white = (
                int(fields[name]) for name in names
            )
        elif match := _PFM_HEAD.match(head):
            self.width, self.height = int(match[2]), int(match[3])
            self.channels = 3 if match[1] == b"F" else 1
            self._order = "<" if float(match[4]) < 0 else ">"
        elif match := _HEAD.match(head):
            self.width, self.height, self._white = map(int, match.groups()[1:])
            self.channels = 3 if match[1] in b"36" else 1
        else:
            raise ValueError("damaged: its head is broken")
        if not (self.width and self.height and 1 <= self.channels <= 4):
            raise ValueError("damaged: its head is broken")
        if not 1 <= self._white <= 65535:
            raise ValueError(f"damaged: its largest number is {self._white}")
        self.is_deep = self._is_float or self._white > 255
        self._begin = match.end()

    def decode(self) -> tuple[np.ndarray, str]:
        """Reads the pixels.

        Returns:
            Tuple of a uint8 or uint16 array of shape (height, width, channels), and a note, or an
            empty string.

        Raises:
            ValueError: the end of the file is missing.
        """
        shape = self.height, self.width, self.channels
        count = self.height * self.width * self.channels
        with open(self._path, "rb") as file:
            file.seek(self._begin)
            data = file.read()
        if self._is_text:
            words = data.split()[:count]
            if len(words) < count:
                raise ValueError(_CUT_OFF)
            return scale_to_white(np.array(words, "uint32").reshape(shape), self._white)
        kind = f"{self._order}f4" if self._is_float else ">u2" if self._white > 255 else "u1"
        if len(data) < count * np.dtype(kind).itemsize:
            raise ValueError(_CUT_OFF)
        numbers = np.frombuffer(data, kind, count).reshape(shape)
        if self._is_float:
            # PFM stores the lowest row first.
            return scale_floats(numbers[::-1])
        return scale_to_white(numbers, self._white)


def is_netpbm(head: bytes) -> bool:
    """Whether a file of this head is one of the kinds that are read here."""
    return bool(_SIGNATURE.match(head))
