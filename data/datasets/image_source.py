"""The interface of all datasets: random access to images."""

import abc
from collections.abc import Iterator

import numpy as np


class ImageSource(abc.ABC):
    """Base class for random access to images, which are read on demand and not held in memory.

    Any thread can read any image at any time, and thus an order is a list of indices. This makes
    shuffling exact and allows training to resume in the middle of an epoch.

    Args:
        classes: tuple of str or None, the names of the classes that labels refer to, or None if
            the images have no labels. Defaults to `None`.
    """

    def __init__(self, classes: tuple[str, ...] | None = None):
        self.classes = classes

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def name(self, number: int) -> str:
        """Returns the unique name of the image in lists."""

    @abc.abstractmethod
    def file(self, number: int) -> str:
        """Returns the file that contains the image; when it changes, the image is read again."""

    @abc.abstractmethod
    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        """Reads an image.

        Args:
            number: int, the index of the image, from 0 to `len(self) - 1`.
            short_side: int or None. A larger image is shrunk until its shorter side has this
                many pixels. Defaults to `None`, the full size.

        Returns:
            uint8 array of shape (height, width, 3), upright sRGB.

        Raises:
            UnreadableImageError: if the image cannot be decoded.
        """

    def label(self, number: int) -> int:
        """Returns the index of the image's class in `classes`, or -1 if it has none."""
        return -1

    def names(self) -> Iterator[str]:
        """Returns an iterator over the names of all images, in order."""
        return (self.name(number) for number in range(len(self)))
