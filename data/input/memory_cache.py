"""Decoded training images in memory, so that no image is decoded twice."""

import numpy as np


class MemoryCache:
    """Caches decoded images in memory, which is fastest for datasets that fit.

    An image with a short side of 128 pixels takes about 65 kB, 10,000 of them 650 MB.
    """

    def __init__(self):
        self._images: dict[str, np.ndarray] = {}

    def get(self, key: str) -> np.ndarray | None:
        """The pixels saved under a key, uint8 of shape (height, width, 3), or None."""
        return self._images.get(key)

    def put(self, key: str, pixels: np.ndarray) -> None:
        """Saves pixels, uint8 of shape (height, width, 3)."""
        self._images[key] = pixels
