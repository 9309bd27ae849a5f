"""Splits datasets that do not define a split into training and validation images."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset


@dataclass(frozen=True)
class SplitOptions:
    """Options for splitting a dataset that does not define a split.

    Attributes:
        validation_share: float in [0, 1), the share of validation images. Unless it is 0, a dataset
            of at least two images has at least one. Defaults to `0.05`.
        seed: int, the seed of the hash that determines the split. Defaults to `0`.
    """

    validation_share: float = 0.05
    seed: int = 0


def split_by_name(
    source: ImageSource, names: Iterable[str], options: SplitOptions
) -> tuple[ImageSource, ImageSource]:
    """Splits images by a hash of their names.

    An image stays on its side of the split when other images are added or removed, except in
    datasets so small that the validation share is less than one image.

    Args:
        source: `ImageSource`, the images.
        names: iterable of str, one for each image, that does not depend on the dataset's location.
        options: `SplitOptions`.

    Returns:
        Tuple of two `ImageSource`: the training images and the validation images.

    Example:
        from data.datasets.image_files import ImageFiles

        names = [f"{number}.jpg" for number in range(6)]
        source = ImageFiles("my_photographs", names)
        training, validation = split_by_name(source, names, SplitOptions(validation_share=0.5))
    """
    values = np.fromiter((_hash_of(name, options.seed) for name in names), "float64", len(source))
    border = 0.0
    if options.validation_share and len(source):
        # At least one image is held out, and at least one is not.
        border = min(max(options.validation_share, values.min() + 1e-12), values.max())
    held_out = values < border
    return (
        ImageSubset(source, np.flatnonzero(~held_out)),
        ImageSubset(source, np.flatnonzero(held_out)),
    )


def _hash_of(name: str, seed: int) -> float:
    """Returns a number in [0, 1) that depends only on the name and the seed."""
    name_bytes = name.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(name_bytes, digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2**64
