"""Finds the images of datasets.

A dataset is named by a folder, which is searched recursively, by `demo` (photographs that ship with
scikit-image), or by the kind and the location of a published dataset, such as
`tiny-imagenet:tiny-imagenet-200`. The result is a source of training images and one of validation
images. No image is decoded.

Example:
    lists = find_images(["my_photographs", "demo"])
    print(lists.table())
"""

import dataclasses
import functools
import os
import random
from collections.abc import Callable, Sequence

import numpy as np

from data.datasets.coco import coco_set
from data.datasets.concatenated_images import ConcatenatedImages
from data.datasets.dataset import Dataset
from data.datasets.dataset_name import (
    COCO,
    DEMO,
    FOLDER,
    IMAGENET64,
    TFDS,
    TINY_IMAGENET,
    parse_name,
)
from data.datasets.dataset_options import DatasetOptions
from data.datasets.folder import demo_set, folder_set
from data.datasets.image_lists import ImageLists
from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset
from data.datasets.imagenet64 import imagenet64_set
from data.datasets.tfds_builder import tfds_set
from data.datasets.tiny_imagenet import tiny_imagenet_set
from errors import InputError


def find_images(names: Sequence[str], options: DatasetOptions | None = None) -> ImageLists:
    """Finds the images of one or more datasets.

    Args:
        names: sequence of str, the names of the datasets, as on the command line.
        options: `DatasetOptions` or None. Defaults to `None`, the default options.

    Returns:
        `ImageLists` of the images of all datasets.

    Raises:
        InputError: if a dataset cannot be found, is malformed or has no usable image. The message
            begins with its name.
    """
    options = options or DatasetOptions()
    sets = [_find(name, options) for name in names]
    if len(sets) > 1:
        sets = _without_repeats(sets)
    training = ConcatenatedImages([dataset.training for dataset in sets])
    validation = ConcatenatedImages([dataset.validation for dataset in sets])
    train_indices: Sequence[int] = range(len(training))
    val_indices = list(range(len(validation)))
    random.Random(options.seed).shuffle(val_indices)
    if options.max_images is not None and options.max_images < len(training) + len(validation):
        train_indices, val_indices = _limit(
            train_indices, val_indices, options.max_images, options.seed
        )
        sets = _restrict(sets, train_indices, val_indices, "beyond max_images")
    return ImageLists(
        ImageSubset(training, train_indices), ImageSubset(validation, val_indices), sets
    )


def without_images(source: ImageSource, others: Sequence[ImageSource]) -> ImageSource:
    """Returns the images of a source that are in none of the others, compared by real path."""
    if not others:
        return source
    kept = ~np.isin(_hashes([source]), _hashes(others))
    return ImageSubset(source, np.flatnonzero(kept))


def _find(name: str, options: DatasetOptions) -> Dataset:
    kind, where = parse_name(name)
    finders: dict[str, Callable[[str, str, DatasetOptions], Dataset]] = {
        DEMO: demo_set,
        FOLDER: folder_set,
        TINY_IMAGENET: tiny_imagenet_set,
        IMAGENET64: imagenet64_set,
        COCO: coco_set,
        TFDS: tfds_set,
    }
    try:
        found = finders[kind](name, where, options)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    if not len(found.training) and not len(found.validation):
        raise InputError(
            f"{name}: no usable images ({found.reasons() or 'none found'}); give another dataset "
            "or less strict options"
        )
    return found


def _without_repeats(sets: list[Dataset]) -> list[Dataset]:
    """Removes images that occur in several datasets; validation images take precedence."""
    val_hashes, val_first = np.unique(
        _hashes([dataset.validation for dataset in sets]), return_index=True
    )
    train_hashes, train_first = np.unique(
        _hashes([dataset.training for dataset in sets]), return_index=True
    )
    train_first = train_first[~np.isin(train_hashes, val_hashes)]
    return _restrict(sets, train_first, val_first, "in another dataset")


def _limit(
    train_indices: Sequence[int], val_indices: list[int], limit: int, seed: int
) -> tuple[Sequence[int], list[int]]:
    """Draws a random subset of both lists, in the same proportion."""
    val_count = round(limit * len(val_indices) / (len(train_indices) + len(val_indices)))
    if val_indices and train_indices:
        # At least one image on each side.
        val_count = min(max(1, val_count), max(1, limit - 1))
    drawn = random.Random(seed).sample(train_indices, limit - val_count)
    return sorted(drawn), val_indices[:val_count]


def _restrict(
    sets: list[Dataset],
    train_indices: Sequence[int] | np.ndarray,
    val_indices: Sequence[int] | np.ndarray,
    why: str,
) -> list[Dataset]:
    """Restricts datasets to some of the images of all, and counts the others as skipped."""
    restricted = []
    sides = {"training": np.sort(np.asarray(train_indices, "int64"))}
    sides["validation"] = np.sort(np.asarray(val_indices, "int64"))
    starts = dict.fromkeys(sides, 0)
    for dataset in sets:
        skipped = 0
        parts: dict[str, ImageSubset] = {}
        for side, indices in sides.items():
            source = getattr(dataset, side)
            first, last = np.searchsorted(indices, [starts[side], starts[side] + len(source)])
            parts[side] = ImageSubset(source, indices[first:last] - starts[side])
            starts[side] += len(source)
            skipped += len(source) - len(parts[side])
        reasons = {**dataset.skipped, why: skipped}
        restricted.append(
            dataclasses.replace(
                dataset,
                training=parts["training"],
                validation=parts["validation"],
                skipped=reasons,
            )
        )
    return restricted


def _hashes(sources: Sequence[ImageSource]) -> np.ndarray:
    """Returns an int64 hash of each image's name; a million names would take 100 MB."""
    # The same file may be named by a relative path, an absolute path or a link to its folder.
    real_folder = functools.cache(os.path.realpath)
    names = (
        (real_folder(os.path.dirname(name)), os.path.basename(name))
        for source in sources
        for name in source.names()
    )
    return np.fromiter(map(hash, names), "int64", sum(map(len, sources)))
