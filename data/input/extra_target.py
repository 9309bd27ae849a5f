"""Extra targets: values that go into a batch with each image."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ExtraTarget:
    """A value that goes into a batch with each image, such as its label.

    Attributes:
        read: function of the number of an image that returns its extra target, or None if the image
            is to be skipped.
        dtype: str, the type of the extra targets.
        shape: tuple of int, the shape of one extra target.
    """

    read: Callable[[int], np.ndarray | int | None]
    dtype: str
    shape: tuple[int, ...]
