"""Options for finding the images of datasets."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetOptions:
    """Options for finding the images of datasets.

    Attributes:
        validation_share: float in [0, 1), the share of validation images for datasets without a
            split of their own. Unless it is 0, at least one image of each dataset with more than
            one is used for validation. Defaults to `0.05`.
        max_images: int or None. At most this many images of all datasets are used, drawn at random
            with the same proportion of training and validation images. Defaults to `None`.
        seed: int, the seed of the split and the draw. Defaults to `0`.
        minimum_colorfulness: float, the colorfulness below which an image counts as gray when
            folders of paired grayscale are searched for. Defaults to `2.0`.
        categories: sequence of str. COCO images are used only if they show an object of one of
            these categories; all are used if it is empty. Defaults to `()`.
        data_dir: str or None, the folder where TensorFlow Datasets stores datasets. Defaults to
            `None`, which is the default folder of TensorFlow Datasets.
    """

    validation_share: float = 0.05
    max_images: int | None = None
    seed: int = 0
    minimum_colorfulness: float = 2.0
    categories: Sequence[str] = ()
    data_dir: str | None = None
