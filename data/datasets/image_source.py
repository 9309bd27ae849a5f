"""What every dataset gives: images by number."""

import abc
from collections.abc import Iterator

import numpy as np


class ImageSource(abc.ABC):
    """Images by number, read when they are asked for; none of them is held.

    Because any image can be read at any time, by any thread, an order is a list of numbers:
    shuffling is exact, and a training goes on in the middle of an epoch.

    Args:
        classes: tuple of str or None, what the labels mean; None when images have no labels.
    """

    def __init__(self, classes: tuple[str, ...] | None = None):
        self.classes = classes

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def name(self, number: int) -> str:
        """What the image is called in lists; no two have the same name."""

    @abc.abstractmethod
    def file(self, number: int) -> str:
        """The file that holds the image: when it changes, the image is read anew."""

    @abc.abstractmethod
    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        """Reads an image.

        Args:
            number: int, from 0 to the length.
            short_side: int or None. A larger image is shrunk until its shorter side has this
                many pixels.

        Returns:
            uint8 array of shape (height, width, 3), upright sRGB.

        Raises:
            UnreadableImageError: it cannot be decoded.
        """

    def label(self, number: int) -> int:
        """The number of the image's class in `classes`, or -1 when it has none."""
        return -1

    def names(self) -> Iterator[str]:
        """The names of all images, in order."""
        return (self.name(number) for number in range(len(self)))
