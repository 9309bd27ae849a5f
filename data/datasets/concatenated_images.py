"""An image source that concatenates several others."""

import bisect
import itertools
from collections.abc import Sequence

import numpy as np

from data.datasets.image_source import ImageSource


class ConcatenatedImages(ImageSource):
    """Concatenates the images of several sources.

    Images keep their labels if all sources have the same classes. Otherwise there are no labels,
    because a label would mean a different class in each source.

    Args:
        sources: sequence of at least one `ImageSource`.
    """

    def __init__(self, sources: Sequence[ImageSource]):
        spaces = {source.classes for source in sources}
        super().__init__(spaces.pop() if len(spaces) == 1 else None)
        self.sources = list(sources)
        # For each source, the index after that of its last image.
        self.ends = list(itertools.accumulate(len(source) for source in self.sources))

    def __len__(self) -> int:
        return self.ends[-1]

    def name(self, number: int) -> str:
        source, number = self._locate(number)
        return source.name(number)

    def file(self, number: int) -> str:
        source, number = self._locate(number)
        return source.file(number)

    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        source, number = self._locate(number)
        return source.read_rgb(number, short_side)

    def label(self, number: int) -> int:
        if self.classes is None:
            return -1
        source, number = self._locate(number)
        return source.label(number)

    def _locate(self, number: int) -> tuple[ImageSource, int]:
        """Returns the source of an image, and its index there."""
        if not 0 <= number < len(self):
            raise IndexError(f"image index {number} is out of range for {len(self)} images")
        index = bisect.bisect_right(self.ends, number)
        return self.sources[index], number - (self.ends[index - 1] if index else 0)
