"""A page of a photograph, read with libvips in strips or shrunk.

libvips is the only reader among those measured that keeps 16 bits, converts profiles at that depth,
and reads a large photograph in strips. Pillow is twice as fast on small JPEGs, but that saves only
a few milliseconds of the 0.1 s that coloring takes.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyvips

from data.image_io import UnreadableImageError
from data.photos.jpeg import SHRINKS
from data.photos.metadata import PhotoMetadata
from data.photos.profiles import (
    can_hold_colors,
    is_srgb,
    profile_channels,
    profile_to_srgb,
    srgb_profile,
    srgb_to_profile,
)

# A photograph is read once and its file may change, so operations are not cached.
pyvips.cache_set_max(0)

# The number of pixels in a strip, whose colors take 8 MB while they are computed. Photographs of 24
# megapixels were colored 15% slower with 2**18, and as fast with 2**19, of which a megapixel fills
# two and wastes most of a third.
PIXELS_IN_A_STRIP = 3 * 2**17

# The kinds of extra samples that are transparency, as TIFF numbers them.
PREMULTIPLIED, ALPHA = 1, 2

_TYPES = {"uchar": "uint8", "ushort": "uint16"}
_CHANNELS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "cmyk": 4}


@dataclass(frozen=True)
class Whole:
    """What a page is a part of, and where it is in it.

    Attributes:
        height: int, the height of the whole in pixels of the page.
        width: int, its width.
        top: int, the row of the whole that is the first of the page.
        left: int, the column of the whole that is the first of the page.
    """

    height: int
    width: int
    top: int = 0
    left: int = 0


class PhotoPage:
    """The pixels of one page, upright and in sRGB, and its metadata.

    Args:
        open_image: function without arguments that opens the stored page as a `pyvips.Image`, to
            be read once from top to bottom.
        metadata: `PhotoMetadata` of the stored page.
        head: `pyvips.Image` or None, an image with the size and type of the stored page. `None` if
            opening the page does not decode it. Defaults to `None`.
        open_shrunk: function of a shrink factor (1, 2, 4 or 8), for a JPEG, which can be shrunk
            while it is decoded: it returns a `pyvips.Image` and a note about its pixels, or an
            empty string. `None` for other formats. Defaults to `None`.
        whole: `Whole` or None, what the page is only a part of. Defaults to `None`.

    Attributes:
        height: int, the height of the upright page.
        width: int, the width of the upright page.
        whole: `Whole`, what the page is a part of: the page itself, unless said otherwise.
        depth: int, the bits per channel, 8 or 16.
        extra_samples: tuple of int, the kind of each channel beside the colors, as in TIFF: 0
            unspecified, 1 alpha of colors that are stored multiplied by it, 2 alpha.
        metadata: `PhotoMetadata` of the upright page, with the profile of the colored page.
        notes: list of str, the problems of the page that do not prevent coloring it. Those of its
            pixels are known once they were read.

    Raises:
        UnreadableImageError: the page is broken; `shrunk` and `strips` may raise it too.
        ValueError: the type of the pixels is not supported.
    """

    def __init__(
        self,
        open_image: Callable[[], pyvips.Image],
        metadata: PhotoMetadata,
        head: pyvips.Image | None = None,
        open_shrunk: Callable[[int], tuple[pyvips.Image, str]] | None = None,
        whole: Whole | None = None,
    ):
        self._open_image = open_image
        self._open_shrunk = open_shrunk
        self._orientation = metadata.orientation
        with _translate_vips_errors():
            image = open_image() if head is None else head
        if image.format not in _TYPES or image.interpretation not in _CHANNELS:
            raise ValueError(
                f"its pixels have the type {image.format} and the color space "
                f"{image.interpretation}; only gray, RGB and CMYK of 8 or 16 bits can be colored"
            )
        self.depth = 8 * np.dtype(_TYPES[image.format]).itemsize
        self._channels = _CHANNELS[image.interpretation]
        extra = image.bands - self._channels
        self.extra_samples = metadata.extra_samples or (ALPHA,) * extra
        self._is_turned = metadata.orientation >= 5
        self.height, self.width = self._turned_size(image.height, image.width)
        self.whole = whole or Whole(self.height, self.width)
        self._form = _form(image)
        self.notes: list[str] = []
        self._profile_in, profile = self._choose_profiles(metadata.profile)
        keeps_profile = self._channels == 3 and profile == metadata.profile
        self.metadata, notes = metadata.upright(
            self.height, self.width, 3 + self.has_alpha, keeps_profile
        )
        self.metadata.profile = profile
        self.notes += notes

    @property
    def size(self) -> int:
        """The number of bytes that the colored page takes in memory."""
        return self.height * self.width * (3 + len(self.extra_samples)) * self.depth // 8

    @property
    def has_alpha(self) -> bool:
        """Whether one of the extra samples is alpha."""
        return self.alpha is not None

    @property
    def alpha(self) -> int | None:
        """The number of the extra sample that is alpha, or None if none is."""
        kinds = enumerate(self.extra_samples)
        return next((number for number, kind in kinds if kind in (PREMULTIPLIED, ALPHA)), None)

    def shrunk(self, height: int, width: int) -> np.ndarray:
        """Reads the page at another size, without alpha.

        Args:
            height: int, the height of the result.
            width: int, the width of the result.

        Returns:
            uint8 or uint16 array of shape (height, width, 1 or 3), sRGB.
        """
        stored_height, stored_width = self._turned_size(height, width)
        with _translate_vips_errors():
            image = self._open_at_least(stored_height, stored_width)
            # A widened bilinear (triangle) filter, with which training images are shrunk too.
            image = image[: self._channels].resize(
                stored_width / image.width, vscale=stored_height / image.height, kernel="linear"
            )
            pixels = self._turned(self._to_srgb(image)).numpy()
        return pixels.reshape(height, width, -1)

    def kind(self) -> tuple[int, str]:
        """The number of channels and the type of the colors of `strips`, without decoding them."""
        with _translate_vips_errors():
            colors = self._to_srgb(self._open()[: self._channels])
        return colors.bands, _TYPES[colors.format]

    def strips(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Reads the page in strips from top to bottom.

        Yields:
            Tuples of the colors, sRGB, uint8 or uint16 of shape (rows, width, 1 or 3), and the
            extra samples, of the depth of the page and of shape (rows, width, extra samples), or
            None if there are none.
        """
        extra = len(self.extra_samples)
        with _translate_vips_errors():
            for pixels in _strips(self._full_size()):
                if extra:
                    yield pixels[..., :-extra], to_depth(pixels[..., -extra:], self.depth)
                else:
                    yield pixels, None

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """Converts colored pixels to the profile and the depth of the page.

        Args:
            srgb: array of shape (rows, width, 3), of the type of the colors from `strips`.

        Returns:
            uint8 or uint16 array of the same shape, depending on `depth`.
        """
        if self._profile_in and self._profile_in == self.metadata.profile:
            return srgb_to_profile(srgb, self._profile_in, self.depth)
        return to_depth(srgb, self.depth)

    def _open(self) -> pyvips.Image:
        image = self._open_image()
        if _form(image) != self._form:
            raise UnreadableImageError("it changed while it was being read")
        return image

    def _open_at_least(self, stored_height: int, stored_width: int) -> pyvips.Image:
        """Opens the page, shrunk as far as its decoder can and its filter allows."""
        if self._open_shrunk is None:
            return self._open()
        height, width = self._turned_size(self.height, self.width)
        # The decoder leaves at least 1.5 times the requested size to the better filter.
        factor = min(height / stored_height, width / stored_width) / 1.5
        image, note = self._open_shrunk(next((shrink for shrink in SHRINKS if shrink <= factor), 1))
        if note and note not in self.notes:
            self.notes.append(note)
        return image

    def _full_size(self) -> pyvips.Image:
        """The colors and the extra samples in one image, so that the file is read only once."""
        image = self._turned(self._open())
        colors = self._to_srgb(image[: self._channels])
        if not self.extra_samples:
            return colors
        extra = image[self._channels :]
        if self.depth == 8 and colors.format == "ushort":
            extra = (extra * 257).cast("ushort")
        return colors.bandjoin(extra)

    def _turned_size(self, height: int, width: int) -> tuple[int, int]:
        return (width, height) if self._is_turned else (height, width)

    def _turned(self, image: pyvips.Image) -> pyvips.Image:
        if self._orientation == 1:
            return image
        # Rotation needs random access to the pixels.
        image = image.copy_memory()
        image.set_type(pyvips.GValue.gint_type, "orientation", self._orientation)
        return image.autorot()

    def _choose_profiles(self, profile: bytes) -> tuple[bytes, bytes]:
        """The profile of the stored pixels (empty for sRGB), and that of the colored page."""
        if not profile:
            return b"", b""
        channels = profile_channels(profile)
        fits = channels == self._channels or (channels == 3 and self._channels == 1)
        if not fits:
            self.notes.append(
                "its color profile is broken or does not match its pixels, and is ignored"
            )
            return b"", b""
        profile_in = b"" if channels < 4 and is_srgb(profile) else profile
        return profile_in, profile if can_hold_colors(profile) else srgb_profile()

    def _to_srgb(self, image: pyvips.Image) -> pyvips.Image:
        if self._profile_in:
            if profile_channels(self._profile_in) == 3 and self._channels == 1:
                image = interpreted(image.bandjoin([image, image]))
            return profile_to_srgb(image, self._profile_in)
        if self._channels == 4:
            return image.colourspace("srgb" if self.depth == 8 else "rgb16")
        return image


def page_of_pixels(rgb: np.ndarray, whole: Whole | None = None) -> PhotoPage:
    """Makes a page from pixels, so that images in memory are colored as photographs are.

    Args:
        rgb: uint8 or uint16 array of shape (height, width, 1 or 3), sRGB.
        whole: `Whole` or None, what they are only a part of. Defaults to `None`.

    Example:
        page = page_of_pixels(np.zeros((32, 48, 3), "uint8"))
        small = page.shrunk(16, 24)
    """
    image = interpreted(pyvips.Image.new_from_array(np.ascontiguousarray(rgb)))
    return PhotoPage(lambda: image, PhotoMetadata(), whole=whole)


def interpreted(image: pyvips.Image, colors: int | None = None) -> pyvips.Image:
    """Sets the interpretation of gray or RGB, which libvips guesses wrong.

    Args:
        image: `pyvips.Image` of integers.
        colors: int or None, 1 or 3, the number of its channels that are colors. `None` if a second
            or fourth channel is alpha. Defaults to `None`.
    """
    gray, rgb = ("b-w", "srgb") if image.format == "uchar" else ("grey16", "rgb16")
    colors = colors or (1 if image.bands < 3 else 3)
    return image.copy(interpretation=gray if colors == 1 else rgb)


def on_white(colors: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Composites colors (rows, width, 3) with alpha (rows, width, 1) of the same type on white."""
    white = float(np.iinfo(colors.dtype).max)
    share = alpha / white
    return np.round(colors * share + white * (1.0 - share)).astype(colors.dtype)


def to_depth(pixels: np.ndarray, depth: int) -> np.ndarray:
    """Converts integer pixels to 8 or 16 bits per channel, with rounding."""
    if pixels.dtype == np.uint16 and depth == 8:
        return ((pixels.astype("uint32") + 128) // 257).astype("uint8")
    if pixels.dtype == np.uint8 and depth == 16:
        return pixels.astype("uint16") * 257
    return pixels


@contextlib.contextmanager
def _translate_vips_errors() -> Iterator[None]:
    try:
        yield
    except pyvips.Error as error:
        # libvips has one error log for all threads, so its message may be about another file.
        reason = "damaged or truncated"
        if "support" in error.detail or "not configured" in error.detail:
            reason = "of a kind that is not supported"
        raise UnreadableImageError(reason) from error


def _form(image: pyvips.Image) -> tuple:
    return image.height, image.width, image.bands, image.format


def _strips(image: pyvips.Image) -> Iterator[np.ndarray]:
    # One region for all strips: a second one would start at the top again, but a sequential image
    # cannot be read again.
    region = pyvips.Region.new(image)
    rows = max(1, PIXELS_IN_A_STRIP // image.width)
    for top in range(0, image.height, rows):
        size = min(rows, image.height - top), image.width, image.bands
        data = region.fetch(0, top, image.width, size[0])
        yield np.frombuffer(data, _TYPES[image.format]).reshape(size)
