"""One page of a photograph, read through libvips in strips or shrunk.

libvips is the reader because it alone among those measured keeps 16 bits, converts profiles at that
depth, and gives a large photograph out in strips. On small JPEGs Pillow is twice as fast, which is
a few thousandths of a second beside the tenth that coloring takes.
"""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import pyvips

from data.image_io import UnreadableImageError
from data.photos.metadata import PhotoMetadata
from data.photos.profiles import (
    can_hold_colors,
    is_srgb,
    profile_channels,
    profile_to_srgb,
    srgb_profile,
    srgb_to_profile,
)

# A photograph is read once and its file may change: nothing is worth keeping.
pyvips.cache_set_max(0)

# Rows are worked on until they have this many pixels, whose color takes 5 MB on its way: of more it
# does not stay near the processor, of less there are too many calls.
_PIXELS_IN_A_STRIP = 2**18

# By how much libvips can shrink a JPEG while it decodes it.
_JPEG_SHRINKS = (8, 4, 2)

_DEPTHS = {"uchar": 8, "ushort": 16}
_TYPES = {"uchar": "uint8", "ushort": "uint16"}
_CHANNELS = {"b-w": 1, "grey16": 1, "srgb": 3, "rgb": 3, "rgb16": 3, "cmyk": 4}


class PhotoPage:
    """The pixels of one page, upright, in sRGB, and what is told of them.

    Args:
        open_image: function of a shrink factor (1, 2, 4, 8) that opens the stored page as a
            `pyvips.Image` to be read once from top to bottom; only JPEGs are asked to shrink.
        metadata: `PhotoMetadata` of the page as it is stored.
        head: `pyvips.Image` of the size and kind of the stored page, or None for a page whose head
            is read without decoding it.

    Attributes:
        height: int, of the page upright.
        width: int.
        depth: int, bits of a channel, 8 or 16.
        has_alpha: bool.
        metadata: `PhotoMetadata` of the page upright, with the profile that the colored page
            carries.
        notes: list of str, what is wrong with the page and could be helped.

    Raises:
        UnreadableImageError: the page is broken; `shrunk` and `strips` may raise it too.
        ValueError: its pixels are of a kind that is not supported.
    """

    def __init__(
        self,
        open_image: Callable[[int], pyvips.Image],
        metadata: PhotoMetadata,
        head: pyvips.Image | None = None,
    ):
        self._open_image = open_image
        self._stored = metadata
        with _readable():
            image = open_image(1) if head is None else head
        if image.format not in _DEPTHS or image.interpretation not in _CHANNELS:
            raise ValueError(
                f"its pixels are {image.format} numbers in {image.interpretation}; gray, RGB and "
                f"CMYK of 8 or 16 bits can be colored"
            )
        self.depth = _DEPTHS[image.format]
        self._channels = _CHANNELS[image.interpretation]
        self.has_alpha = image.bands > self._channels
        self._is_turned = metadata.orientation >= 5
        self.height, self.width = self._turned_size(image.height, image.width)
        self._can_shrink = _is_jpeg(image)
        self._form = _form(image)
        self.metadata, self.notes = metadata.upright(self.height, self.width)
        self._profile_in, self.metadata.profile = self._choose_profiles(metadata.profile)

    @property
    def size(self) -> int:
        """Bytes that the colored page takes in memory."""
        return self.height * self.width * (3 + self.has_alpha) * self.depth // 8

    def shrunk(self, height: int, width: int) -> np.ndarray:
        """The page at another size, without alpha.

        Returns:
            uint8 or uint16 array of shape (height, width, 1 or 3), sRGB.
        """
        with _readable():
            return self._shrunk(*self._turned_size(height, width))

    def kind(self) -> tuple[int, str]:
        """Channels and type of the colors that `strips` yields, without decoding any."""
        with _readable():
            colors = self._to_srgb(self._open()[: self._channels])
        return colors.bands, _TYPES[colors.format]

    def strips(self) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """The page in strips from top to bottom.

        Yields:
            Pairs of the colors, sRGB, uint8 or uint16 of shape (rows, width, 1 or 3), and alpha,
            of the depth of the page and shape (rows, width, 1), or None.
        """
        with _readable():
            for pixels in _strips(self._full_size()):
                if self.has_alpha:
                    yield pixels[..., :-1], to_depth(pixels[..., -1:], self.depth)
                else:
                    yield pixels, None

    def from_srgb(self, srgb: np.ndarray) -> np.ndarray:
        """Converts colored pixels to the profile and the depth of the page.

        Args:
            srgb: uint8 or uint16 array of shape (rows, width, 3), as `strips` gave them.

        Returns:
            uint8 or uint16 array of the same shape, as `depth` says.
        """
        if self._profile_in and self._profile_in == self.metadata.profile:
            return srgb_to_profile(srgb, self._profile_in, self.depth)
        return to_depth(srgb, self.depth)

    def _open(self, shrink: int = 1) -> pyvips.Image:
        image = self._open_image(shrink)
        if shrink == 1 and _form(image) != self._form:
            raise UnreadableImageError("it changed while it was read")
        return image

    def _full_size(self) -> pyvips.Image:
        """Colors and alpha in one image, so that the file is read only once."""
        image = self._turned(self._open())
        colors = self._to_srgb(image[: self._channels])
        if not self.has_alpha:
            return colors
        alpha = image[self._channels]
        if self.depth == 8 and colors.format == "ushort":
            alpha = (alpha * 257).cast("ushort")
        return colors.bandjoin(alpha)

    def _shrunk(self, stored_height: int, stored_width: int) -> np.ndarray:
        image = self._open(self._shrink_while_decoding(stored_height, stored_width))
        # The triangle of bilinear interpolation, widened: what training images are shrunk with.
        image = image[: self._channels].resize(
            stored_width / image.width, vscale=stored_height / image.height, kernel="linear"
        )
        return _pixels(self._turned(self._to_srgb(image)))

    def _turned_size(self, height: int, width: int) -> tuple[int, int]:
        return (width, height) if self._is_turned else (height, width)

    def _turned(self, image: pyvips.Image) -> pyvips.Image:
        if self._stored.orientation == 1:
            return image
        # Turning reads from all sides.
        image = image.copy_memory()
        image.set_type(pyvips.GValue.gint_type, "orientation", self._stored.orientation)
        return image.autorot()

    def _shrink_while_decoding(self, stored_height: int, stored_width: int) -> int:
        if not self._can_shrink:
            return 1
        height, width = self._turned_size(self.height, self.width)
        # Twice the size that is asked for is left to the better filter.
        factor = min(height / stored_height, width / stored_width) / 2
        return next((shrink for shrink in _JPEG_SHRINKS if shrink <= factor), 1)

    def _choose_profiles(self, profile: bytes) -> tuple[bytes, bytes]:
        """The profile to read the pixels by (none for sRGB), and the one the result carries."""
        if not profile:
            return b"", b""
        channels = profile_channels(profile)
        fits = channels == self._channels or (channels == 3 and self._channels == 1)
        if not fits:
            self.notes.append("its color profile is broken or of another kind, and is left out")
            return b"", b""
        read_by = b"" if channels < 4 and is_srgb(profile) else profile
        return read_by, profile if can_hold_colors(profile) else srgb_profile()

    def _to_srgb(self, image: pyvips.Image) -> pyvips.Image:
        if self._profile_in:
            if profile_channels(self._profile_in) == 3 and self._channels == 1:
                image = image.bandjoin([image, image])
                image = image.copy(interpretation="srgb" if self.depth == 8 else "rgb16")
            return profile_to_srgb(image, self._profile_in)
        if self._channels == 4:
            return image.colourspace("srgb" if self.depth == 8 else "rgb16")
        return image


def to_depth(pixels: np.ndarray, depth: int) -> np.ndarray:
    """Integer pixels at 8 or 16 bits of a channel, rounded."""
    if pixels.dtype == np.uint16 and depth == 8:
        return ((pixels.astype("uint32") + 128) // 257).astype("uint8")
    if pixels.dtype == np.uint8 and depth == 16:
        return pixels.astype("uint16") * 257
    return pixels


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except pyvips.Error as error:
        # libvips keeps one list of reasons for all threads: what it says may be of another file.
        reason = "damaged, or cut off at the end"
        if "support" in error.detail or "not configured" in error.detail:
            reason = "of a kind that cannot be decoded"
        raise UnreadableImageError(reason) from error


def _form(image: pyvips.Image) -> tuple:
    return image.height, image.width, image.bands, image.format


def _is_jpeg(image: pyvips.Image) -> bool:
    # What Pillow decoded has no loader.
    return "vips-loader" in image.get_fields() and image.get("vips-loader").startswith("jpegload")


def _strips(image: pyvips.Image) -> Iterator[np.ndarray]:
    # One region for all: a second one would begin at the top again, which cannot be gone back to.
    region = pyvips.Region.new(image)
    rows = max(1, _PIXELS_IN_A_STRIP // image.width)
    for top in range(0, image.height, rows):
        size = min(rows, image.height - top), image.width, image.bands
        data = region.fetch(0, top, image.width, size[0])
        yield np.frombuffer(data, _TYPES[image.format]).reshape(size)


def _pixels(image: pyvips.Image) -> np.ndarray:
    pixels = image.numpy()
    return pixels[..., None] if pixels.ndim == 2 else pixels
