"""How a dataset without a split of its own is split."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset


@dataclass(frozen=True)
class SplitOptions:
    """How a dataset is split that does not say it itself.

    Attributes:
        validation_share: float in [0, 1), the share of images to judge by. Unless it is 0, at
            least one image is.
        seed: int, of the hash that splits.
    """

    validation_share: float = 0.05
    seed: int = 0


def split_by_name(
    source: ImageSource, names: Iterable[str], options: SplitOptions
) -> tuple[ImageSource, ImageSource]:
    """Splits images by a hash of their names.

    An image keeps its side when others are added or removed (but for sets so small that their
    share is less than one image).

    Args:
        source: the images.
        names: str for each, that says which it is wherever the dataset lies.
        options: the share and the seed.

    Returns:
        The images to learn from, and those to judge by.
    """
    places = np.fromiter((_place(name, options.seed) for name in names), "float64", len(source))
    border = 0.0
    if options.validation_share and len(source):
        # At least one image is held out, and at least one is not.
        border = min(max(options.validation_share, places.min() + 1e-12), places.max())
    held_out = places < border
    return (
        ImageSubset(source, np.flatnonzero(~held_out)),
        ImageSubset(source, np.flatnonzero(held_out)),
    )


def _place(name: str, seed: int) -> float:
    """A number in [0, 1) that depends on the name and the seed alone."""
    name_bytes = name.encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(name_bytes, digest_size=8, key=str(seed).encode()).digest()
    return int.from_bytes(digest, "big") / 2**64
