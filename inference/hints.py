"""Hints: colors that a person asks for at some places of a photograph."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import ImageColor

from data.color.lab import AB_SCALE, rgb1_to_lab100

# More are a mistake of the program that wrote them, and would take minutes.
MOST_HINTS = 1000

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Hint:
    """A color that a person asks for at a place of a photograph.

    Args:
        x: float in [0, 1], the place from left to right, as a share of the width of the upright
            photograph.
        y: float in [0, 1], the place from top to bottom, as a share of its height.
        color: str, `#rrggbb` or a name of CSS such as `navy`. Its hue and chroma count; the
            lightness stays the photograph's.
        radius: float in [0, 1], half of the side of the square that is known to have this color,
            as a share of the shorter side of the photograph. A square is at least two of the
            network's color cells wide. Defaults to `0.0`.
        page: int, the page of a TIFF, from 0 on. Defaults to `0`.

    Raises:
        ValueError: a place is outside the photograph, or the color is not known.

    Example:
        Hint(0.25, 0.5, "#a03020").ab()
    """

    x: float
    y: float
    color: str
    radius: float = 0.0
    page: int = 0

    def __post_init__(self):
        for name in ("x", "y", "radius"):
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not 0.0 <= value <= 1.0:
                raise ValueError(f"`{name}` should be in [0, 1]. Received: {name}={value!r}")
        if not isinstance(self.page, int) or isinstance(self.page, bool) or self.page < 0:
            raise ValueError(
                f"`page` should be the number of a page, from 0 on. Received: page={self.page!r}"
            )
        if not isinstance(self.color, str) or not (
            _HEX.fullmatch(self.color) or self.color.lower() in ImageColor.colormap
        ):
            raise ValueError(
                f"`color` should be #rrggbb or a name of CSS. Received: color={self.color!r}"
            )

    def ab(self) -> np.ndarray:
        """The a and b of the color in CIE Lab, float32 of shape (2,)."""
        rgb1 = np.array(ImageColor.getrgb(self.color), "float32") / 255.0
        return np.asarray(rgb1_to_lab100(rgb1[None]))[0, 1:]


@dataclass(frozen=True)
class HintSquare:
    """A hint on the grid of a network: a square of pixels that should have the mean color `ab`.

    Attributes:
        rows, columns: slices.
        ab: float32 array of shape (2,), a and b of CIE Lab.
    """

    rows: slice
    columns: slice
    ab: np.ndarray

    def scaled(self, stride: int) -> "HintSquare":
        """The same square on a grid that is `stride` times coarser, of at least one cell."""
        rows, columns = (
            slice(part.start // stride, max(part.stop // stride, part.start // stride + 1))
            for part in (self.rows, self.columns)
        )
        return HintSquare(rows, columns, self.ab)


def place_hints(
    hints: Sequence[Hint], height: int, width: int, side: int, cell: int
) -> list[HintSquare]:
    """Places the hints of a photograph on the grid of a network's input.

    Args:
        hints: sequence of `Hint`.
        height, width: int, the size of the upright photograph.
        side: int, the height and width of the network's input, to which it is shrunk.
        cell: int, the side of the squares for which the network predicts one color.

    Returns:
        List of `HintSquare`, at least two cells wide and whole within the image.

    Raises:
        ValueError: there are more than `MOST_HINTS`.
    """
    if len(hints) > MOST_HINTS:
        raise ValueError(f"there should be at most {MOST_HINTS} hints. Received: {len(hints)}")
    shorter = min(height, width)
    return [
        square_at(
            (hint.y, hint.x),
            (hint.radius * shorter / height, hint.radius * shorter / width),
            hint.ab(),
            side,
            cell,
        )
        for hint in hints
    ]


def square_at(
    center: tuple[float, float], radii: tuple[float, float], ab: np.ndarray, side: int, cell: int
) -> HintSquare:
    """The square around a place, at least two cells wide and whole within the image.

    Args:
        center: tuple of y and x in [0, 1].
        radii: tuple of half of the height and half of the width, in shares of the image.
        ab: float32 array of shape (2,), a and b of CIE Lab.
        side, cell: as in `place_hints`.
    """
    rows, columns = (
        _pixels(middle, radius, side, cell) for middle, radius in zip(center, radii, strict=True)
    )
    return HintSquare(rows, columns, ab)


def draw_squares(squares: Sequence[HintSquare], side: int) -> np.ndarray:
    """Draws hints as a network takes them.

    Returns:
        float32 array of shape (side, side, 3): ab scaled for networks (ab/110), the mean where
        squares overlap, and 1 where there is a hint.
    """
    drawn = np.zeros((side, side, 3), "float32")
    for square in squares:
        drawn[square.rows, square.columns] += (*(square.ab / AB_SCALE), 1.0)
    drawn /= np.maximum(drawn[..., 2:], 1.0)
    return drawn


def _pixels(center: float, radius: float, side: int, cell: int) -> slice:
    """The pixels of a square in a column or row of the image."""
    length = max(2 * cell, round(2 * radius * side))
    length = min(length, side)
    first = int(np.clip(round(center * side - length / 2), 0, side - length))
    return slice(first, first + length)
