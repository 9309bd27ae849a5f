"""The images of several sources as one."""

import bisect
import itertools
from collections.abc import Sequence

from data.datasets.image_source import ImageSource


class ConcatenatedImages(ImageSource):
    """The images of several sources, one source after the other.

    Labels are those of the sources where all of these have the same classes; otherwise there are
    none, because a number would mean different things.

    Args:
        sources: one `ImageSource` or more.
    """

    def __init__(self, sources: Sequence[ImageSource]):
        spaces = {source.classes for source in sources}
        super().__init__(spaces.pop() if len(spaces) == 1 else None)
        self.sources = list(sources)
        # The number after the last one of each source.
        self.ends = list(itertools.accumulate(len(source) for source in self.sources))

    def __len__(self):
        return self.ends[-1]

    def name(self, number):
        source, number = self._place(number)
        return source.name(number)

    def file(self, number):
        source, number = self._place(number)
        return source.file(number)

    def read_rgb(self, number, short_side=None):
        source, number = self._place(number)
        return source.read_rgb(number, short_side)

    def label(self, number):
        if self.classes is None:
            return -1
        source, number = self._place(number)
        return source.label(number)

    def _place(self, number: int) -> tuple[ImageSource, int]:
        """The source that an image is from, and its number there."""
        if not 0 <= number < len(self):
            raise IndexError(f"there is no image {number} among {len(self)}")
        index = bisect.bisect_right(self.ends, number)
        return self.sources[index], number - (self.ends[index - 1] if index else 0)
