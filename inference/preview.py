"""A photograph on a screen, colored again and again while a person gives hints."""

import copy
from collections.abc import Sequence

import numpy as np

from data.color.lab import lightness1_to_gray_rgb1, rgb1_to_rgb255, rgb255_to_lab1
from data.photos.page import PhotoPage, Whole, page_of_pixels, to_depth
from inference.hints import Hint
from inference.look import AS_SET, Look
from inference.photo_colorizer import PhotoColorizer


class Preview:
    """A page that was shrunk once, and is colored by the same steps as at its full size.

    Args:
        colorizer: `PhotoColorizer`.
        pages: sequence of `PhotoPage`, all of the photograph.
        number: int, the page to show. Defaults to `0`.
        longest: int, the longer side of the preview in pixels; a smaller page keeps its size.
            Defaults to `1280`.

    Attributes:
        gray: uint8 array of shape (height, width, 1), the page without its colors.
        lab: float32 array of shape (render_size, render_size, 3), from `lab_at_render_size`.

    Raises:
        UnreadableImageError: the page is broken.

    Example:
        from data.photos.file import PhotoFile

        colorizer = PhotoColorizer.from_folder("weights/pretrained/sagan")
        preview = Preview(colorizer, PhotoFile("gray.jpg").pages)
        rgb255 = preview.colored([Hint(0.5, 0.5, "navy")])
    """

    def __init__(
        self,
        colorizer: PhotoColorizer,
        pages: Sequence[PhotoPage],
        number: int = 0,
        longest: int = 1280,
    ):
        self._colorizer = colorizer
        self._pages = pages
        self._number = number
        page = pages[number]
        scale = min(1.0, longest / max(page.height, page.width))
        shrunk = page.shrunk(*(max(1, round(side * scale)) for side in (page.height, page.width)))
        self.gray = _gray(to_depth(shrunk, 8))
        self.lab = colorizer.lab_at_render_size(page)
        # What the network and upsampling receive is that of the result, so that it looks the same.
        self._lightness = self.lab[..., :1].copy()
        self._small = page_of_pixels(self.gray)
        self._without_hints: tuple[Look, np.ndarray] | None = None

    def part(self, left: int, top: int, width: int, height: int) -> "Preview":
        """A part of the page at its full size.

        Args:
            left, top, width, height: int, the part in pixels of the upright page.

        Returns:
            `Preview` that shows only this part, as far as it is inside the page.

        Raises:
            UnreadableImageError: the page is broken.
            ValueError: the part is outside the page.
        """
        page = self._pages[self._number]
        if not (0 <= left < page.width and 0 <= top < page.height and width > 0 and height > 0):
            raise ValueError(
                f"a part should be inside the page of {page.width} x {page.height} pixels. "
                f"Received: {left}, {top}, {width}, {height}"
            )
        part = copy.copy(self)
        part.gray = _full_size_part(page, slice(left, left + width), top, top + height)
        part._small = page_of_pixels(part.gray, Whole(page.height, page.width, top, left))
        return part

    def colored(self, hints: Sequence[Hint] = (), look: Look = AS_SET) -> np.ndarray:
        """Colors the preview.

        Args:
            hints: sequence of `Hint` for any pages. Defaults to none.
            look: `Look`, as in `PhotoColorizer.color`. Defaults to that of the colorizer.

        Returns:
            uint8 array of shape (height, width, 3), sRGB.
        """
        return self.recombined(self.predict(hints, look))

    def predict(self, hints: Sequence[Hint] = (), look: Look = AS_SET) -> np.ndarray:
        """Predicts the ab of the page, as `PhotoColorizer.predict`, for `recombined`.

        Args:
            hints, look: as in `colored`.

        Returns:
            float32 array of shape (side, side, 2), a and b of CIE Lab.
        """
        squares = self._colorizer.place(hints, self._pages)[self._number]
        [ab] = self._colorizer.predict([self._lightness], [squares], [look])
        return ab

    def recombined(self, ab: np.ndarray) -> np.ndarray:
        """The preview in colors from `predict`, as `colored` returns it."""
        return np.concatenate(list(self._colorizer.strips(self._small, self._lightness, ab)))

    def lab_at(self, x: float, y: float, look: Look = AS_SET) -> np.ndarray:
        """The lightness at a place and the color that is predicted there without hints.

        Args:
            x, y: float in [0, 1], as in `Hint`.
            look: as in `colored`.

        Returns:
            float32 array of shape (3,), CIE Lab.
        """
        # Kept, because a person clicks many places.
        if self._without_hints is None or self._without_hints[0] != look:
            self._without_hints = look, self.predict(look=look)
        ab = self._without_hints[1]
        return np.concatenate([mean_at(self._lightness, x, y), mean_at(ab, x, y)])


def mean_at(image: np.ndarray, x: float, y: float) -> np.ndarray:
    """The mean of the 3 x 3 pixels around a place.

    Args:
        image: array of shape (height, width, channels).
        x, y: float in [0, 1], as in `Hint`.

    Returns:
        Array of shape (channels,).
    """
    rows, columns = (
        slice(max(0, index - 1), index + 2)
        for index in (
            min(int(y * image.shape[0]), image.shape[0] - 1),
            min(int(x * image.shape[1]), image.shape[1] - 1),
        )
    )
    return image[rows, columns].mean(axis=(0, 1))


def _full_size_part(page: PhotoPage, columns: slice, top: int, end: int) -> np.ndarray:
    parts, row = [], 0
    for strip, _ in page.strips():
        if row + len(strip) > top:
            parts.append(_gray(to_depth(strip[max(0, top - row) : end - row, columns], 8)))
        row += len(strip)
        if row >= end:
            break
    return np.concatenate(parts)


def _gray(rgb255: np.ndarray) -> np.ndarray:
    """Gray of the same lightness: uint8 (height, width, 1 or 3) to (height, width, 1)."""
    if rgb255.shape[2] == 1:
        return rgb255
    gray1 = lightness1_to_gray_rgb1(rgb255_to_lab1(rgb255)[..., :1])
    return np.asarray(rgb1_to_rgb255(gray1[..., :1]))
