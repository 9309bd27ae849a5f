"""Splits datasets that do not define a split into training and validation images."""

import hashlib
from collections.abc import Iterable

import numpy as np

from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset


def split_by_name(
    source: ImageSource, names: Iterable[str], options: DatasetOptions
) -> tuple[ImageSource, ImageSource]:
    """Splits images by a hash of their names.

    An image stays on its side of the split when other images are added or removed, except in
    datasets so small that the validation share is less than one image.

    Args:
        source: `ImageSource`, the images.
        names: iterable of str, one for each image, that does not depend on the dataset's location.
        options: `DatasetOptions`, of which the share and the seed are used.

    Returns:
        Tuple of two `ImageSource`: the training images and the validation images.
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
