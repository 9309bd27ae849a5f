"""An image source that selects and reorders the images of another."""

from collections.abc import Sequence

import numpy as np

from data.datasets.image_source import ImageSource


class ImageSubset(ImageSource):
    """Selects images of a source, in any order.

    Args:
        source: `ImageSource`.
        numbers: sequence of int, the indices of the images in the source.
    """

    def __init__(self, source: ImageSource, numbers: Sequence[int] | np.ndarray):
        super().__init__(source.classes)
        self.source = source
        self.numbers = np.asarray(numbers, "int64")

    def __len__(self) -> int:
        return len(self.numbers)

    def name(self, number: int) -> str:
        return self.source.name(self.numbers[number])

    def file(self, number: int) -> str:
        return self.source.file(self.numbers[number])

    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        return self.source.read_rgb(self.numbers[number], short_side)

    def label(self, number: int) -> int:
        return self.source.label(self.numbers[number])
