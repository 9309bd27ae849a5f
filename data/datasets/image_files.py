"""An image source of files in a folder."""

import os
from collections.abc import Sequence

import numpy as np

from data.datasets.image_source import ImageSource
from data.photos.read_rgb import read_rgb


class ImageFiles(ImageSource):
    """Reads images from files below one folder.

    Args:
        folder: str, the path of the folder.
        paths: sequence of str, the paths of the files relative to the folder.
        labels: sequence of int or None, the index of each file's class in `classes`. Defaults to
            `None`.
        classes: tuple of str or None, the names of the classes. Defaults to `None`.

    Example:
        images = ImageFiles("my_photographs", ["0.jpg", "1.jpg"])
        images.read_rgb(0)                          # uint8 array of shape (height, width, 3)
    """

    def __init__(
        self,
        folder: str,
        paths: Sequence[str],
        labels: Sequence[int] | None = None,
        classes: tuple[str, ...] | None = None,
    ):
        super().__init__(classes)
        self.folder = folder
        self.paths = list(paths)
        self._labels = None if labels is None else np.asarray(labels, "int32")

    def __len__(self) -> int:
        return len(self.paths)

    def name(self, number: int) -> str:
        return os.path.join(self.folder, self.paths[number])

    def file(self, number: int) -> str:
        return self.name(number)

    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        return read_rgb(self.name(number), short_side)

    def label(self, number: int) -> int:
        return -1 if self._labels is None else int(self._labels[number])
