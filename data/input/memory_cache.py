"""Decoded training images in memory, so that no epoch decodes them twice."""

import numpy as np


class MemoryCache:
    """Keeps decoded images in memory: fastest, for sets that fit.

    An image of short side 128 takes about 65 kB, 10,000 of them 650 MB.
    """

    def __init__(self):
        self._images: dict[str, np.ndarray] = {}

    def get(self, key: str) -> np.ndarray | None:
        """The pixels kept under a key, uint8 (height, width, 3), or None."""
        return self._images.get(key)

    def put(self, key: str, pixels: np.ndarray) -> None:
        """Keeps pixels, uint8 of shape (height, width, 3)."""
        self._images[key] = pixels
