"""What is asked of datasets besides their names."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetOptions:
    """What is asked of datasets besides their names.

    Attributes:
        validation_share: float in [0, 1), the share of images to judge by where a dataset does
            not say. Unless it is 0, at least one image of each set is.
        max_images: int or None. At most this many images of the whole, drawn at random, in the
            same proportion of training and validation.
        seed: int, of the split and the draw.
        minimum_colorfulness: float; folders whose images are below it and stand in color beside
            it are left out.
        categories: objects of which images of COCO hold at least one; all when there is none.
        data_dir: str or None, where TensorFlow Datasets keeps its own.
    """

    validation_share: float = 0.05
    max_images: int | None = None
    seed: int = 0
    minimum_colorfulness: float = 2.0
    categories: Sequence[str] = ()
    data_dir: str | None = None
