"""What every dataset gives: pictures by number."""

import abc
from collections.abc import Iterator

import numpy as np


class PictureSource(abc.ABC):
    """Pictures by number, read when they are asked for; none of them is held.

    Because any picture can be read at any time, by any thread, an order is a list of numbers:
    shuffling is exact, and a training goes on in the middle of an epoch.

    Args:
        classes: tuple of str or None, what the labels mean; None when pictures have no labels.
    """

    def __init__(self, classes: tuple[str, ...] | None = None):
        self.classes = classes

    @abc.abstractmethod
    def __len__(self) -> int: ...

    @abc.abstractmethod
    def name(self, number: int) -> str:
        """What the picture is called in lists; no two have the same name."""

    @abc.abstractmethod
    def file(self, number: int) -> str:
        """The file that holds the picture: when it changes, the picture is read anew."""

    @abc.abstractmethod
    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        """Reads a picture.

        Args:
            number: int, from 0 to the length.
            short_side: int or None. A larger picture is shrunk until its shorter side has this
                many pixels.

        Returns:
            uint8 array of shape (height, width, 3), upright sRGB.

        Raises:
            UnreadablePictureError: it cannot be decoded.
        """

    def label(self, number: int) -> int:
        """The number of the picture's class in `classes`, or -1 when it has none."""
        return -1

    def names(self) -> Iterator[str]:
        """The names of all pictures, in order."""
        return (self.name(number) for number in range(len(self)))
