"""Loads the images of a source and skips those that cannot be used."""

import math
import os
import sqlite3

import numpy as np

from data.color.colorfulness import colorfulness
from data.datasets.image_source import ImageSource
from data.image_io import UnreadableImageError
from data.input.disk_cache import DiskCache
from data.input.extra_target import ExtraTarget
from data.input.memory_cache import MemoryCache
from data.input.skipped_images import NO_COLOR, SkippedImages
from errors import InputError


class ImageLoader:
    """Loads the images of a source as pixels and skips those that cannot be used.

    Args:
        source: `ImageSource`.
        short_side: int or None, the shorter side of a loaded image; a smaller image is not
            enlarged. `None` loads images at full size.
        skipped: `SkippedImages`, the list of skipped images.
        minimum_colorfulness: float; images that are less colorful are skipped. Defaults to `0.0`,
            which skips none.
        cache: `MemoryCache`, `DiskCache` or None. Defaults to `None`.
    """

    def __init__(
        self,
        source: ImageSource,
        short_side: int | None,
        skipped: SkippedImages,
        minimum_colorfulness: float = 0.0,
        cache: MemoryCache | DiskCache | None = None,
    ):
        self.source = source
        self.short_side = short_side
        self.skipped = skipped
        self.minimum_colorfulness = minimum_colorfulness
        self.cache = cache

    def __len__(self) -> int:
        return len(self.source)

    def load(self, number: int) -> np.ndarray | None:
        """An image by number, uint8 of shape (height, width, 3), or None if it is skipped."""
        try:
            return self._load(number)
        except (OSError, sqlite3.Error) as error:
            # Errors of the cache or of the list; those of an image are caught below.
            self.skipped.failure = InputError(
                f"the decoded images or the list of skipped images cannot be read or saved: {error}"
            )
            raise self.skipped.failure from error

    @property
    def labels(self) -> ExtraTarget:
        """The class numbers of the images, as an extra target."""
        return ExtraTarget(self.label, "int64", ())

    def label(self, number: int) -> int | None:
        """The class number of an image, or None if the image is skipped."""
        try:
            return self.source.label(number)
        except UnreadableImageError as error:
            name, file = self.source.name(number), self.source.file(number)
            self.skipped.add(name, f"unreadable: {error}", file)
            return None

    def _load(self, number: int) -> np.ndarray | None:
        name, file = self.source.name(number), self.source.file(number)
        if self.skipped.reason(name, file) is not None:
            return None
        try:
            pixels = self._decode(number, name, file)
        except UnreadableImageError as error:
            self.skipped.add(name, f"unreadable: {error}", file)
            return None
        measured = float(colorfulness(pixels.astype("float32")))
        if measured < self.minimum_colorfulness:
            self.skipped.add(name, f"{NO_COLOR}: colorfulness {measured:.1f}", file)
            return None
        return pixels

    def _decode(self, number: int, name: str, file: str) -> np.ndarray:
        if self.cache is None:
            return self.source.read_rgb(number, self.short_side)
        key = self._cache_key(name, file)
        pixels = self.cache.get(key)
        if pixels is None:
            pixels = self.source.read_rgb(number, self.short_side)
            self.cache.put(key, pixels)
        return pixels

    def _cache_key(self, name: str, file: str) -> str:
        try:
            modified = os.stat(file).st_mtime_ns
        except OSError as error:
            raise UnreadableImageError(error.strerror) from error
        return f"{name}|{modified}|{self.short_side}"


def crop_source_side(resolution: int, crop_scale: float) -> int:
    """The short side at which to load images so that the smallest crop is not enlarged."""
    return math.ceil(resolution / math.sqrt(crop_scale))
