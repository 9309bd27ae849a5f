"""What goes with every image into a batch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ExtraTarget:
    """What goes with every image into a batch.

    Attributes:
        read: gives it by the number of the image, or None when the image is left out for it.
        dtype: str.
        shape: of one.
    """

    read: Callable[[int], np.ndarray | int | None]
    dtype: str
    shape: tuple[int, ...]
