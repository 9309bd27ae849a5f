"""Palettes: the colors that a whole photograph has, to color another one alike."""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.color.ab_bins import BIN_CENTERS, BINS, ab1_to_bin, count_bins
from data.color.lab import AB_SCALE, integers_to_rgb1, rgb1_to_lab100
from data.image_io import first_reason
from data.photos.file import PhotoFile
from data.photos.page import PhotoPage
from inference.color_cast import has_colors

# A palette needs no more pixels.
_SIDE = 192

# Decimal places of the shares: those of fewer pixels are not written.
_PLACES = 4


@dataclass(frozen=True)
class Palette:
    """Which share of a photograph has which color.

    Args:
        colors: tuple of (a, b, share): a and b of CIE Lab, and a share above 0. Colors are rounded
            to the bins of `data.color.ab_bins`, and shares are scaled so that they sum to 1.

    Raises:
        ValueError: there are no colors, too many, or one is not three numbers in their ranges.

    Example:
        Palette(((0, 0, 0.7), (30, 40, 0.3))).shares().sum()            # 1.0
        Palette.of_photograph("beach.jpg")
    """

    colors: tuple[tuple[float, float, float], ...]

    def __post_init__(self):
        if not 1 <= len(self.colors) <= BINS:
            raise ValueError(
                f"a palette should have 1 to {BINS} colors. Received: {len(self.colors)}"
            )
        for color in self.colors:
            if not _is_color(color):
                raise ValueError(
                    "a color of a palette should be [a, b, share], a and b from -128 to 128 and a "
                    f"share above 0. Received: {color!r}"[:300]
                )

    @classmethod
    def from_json(cls, content: Any) -> "Palette":
        """Makes a palette from a list of [a, b, share].

        Raises:
            ValueError: it is no such list.
        """
        if not isinstance(content, list | tuple):
            raise ValueError(f"a palette is a list of [a, b, share]. Received: {content!r}"[:300])
        colors = (tuple(color) if isinstance(color, list) else color for color in content)
        return cls(tuple(colors))

    @classmethod
    def of_page(cls, page: PhotoPage) -> "Palette":
        """The palette of a page.

        Raises:
            UnreadableImageError: the page is broken.
            ValueError: it is not in color.
        """
        pixels = page.shrunk(_SIDE, _SIDE)
        rgb1 = np.broadcast_to(integers_to_rgb1(pixels), (_SIDE, _SIDE, 3))
        lab100 = np.asarray(rgb1_to_lab100(rgb1))
        if not has_colors(lab100):
            raise ValueError("it is not in color, so that it has no palette")
        counts = count_bins([lab100[..., 1:] / AB_SCALE]).ravel()
        shares = np.round(counts / counts.sum(), _PLACES)
        centers = np.round(BIN_CENTERS * AB_SCALE)
        present = np.flatnonzero(shares)
        return cls(tuple((*centers[bin].tolist(), float(shares[bin])) for bin in present))

    @classmethod
    def of_photograph(cls, path: str | os.PathLike) -> "Palette":
        """The palette of the first page of a file.

        Raises:
            ValueError: it cannot be read or is not in color. The message names neither.
        """
        try:
            return cls.of_page(PhotoFile(path).pages[0])
        # Decoders raise exceptions of any type for a broken file.
        except Exception as error:
            raise ValueError(first_reason(error, path)) from error

    def shares(self) -> np.ndarray:
        """The share of each bin, float32 of shape (529,), as networks take palettes."""
        colors = np.array(self.colors, "float32")
        bins = np.asarray(ab1_to_bin(colors[:, :2] / AB_SCALE))
        counts = np.bincount(bins, weights=colors[:, 2], minlength=BINS)
        return (counts / counts.sum()).astype("float32")


def _is_color(color: Any) -> bool:
    return (
        isinstance(color, tuple)
        and len(color) == 3
        and all(isinstance(value, int | float) and not isinstance(value, bool) for value in color)
        and all(-128 <= value <= 128 for value in color[:2])
        and 0.0 < color[2] <= 1e9
    )
