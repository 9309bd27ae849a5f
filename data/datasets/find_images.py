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
from data.datasets.split_options import SplitOptions
from data.datasets.tfds_builder import tfds_set
from data.datasets.tiny_imagenet import tiny_imagenet_set
from errors import InputError

_SIDES = ("training", "validation")


def find_images(names: Sequence[str], options: DatasetOptions | None = None) -> ImageLists:
    """Finds the images of one or more datasets.

    Args:
        names: sequence of str, the names of the datasets, as on the command line.
        options: `DatasetOptions` or None. Defaults to `None`, the default options.

    Returns:
        `ImageLists` of the images of all datasets.

    Raises:
        InputError: if a dataset cannot be found, is malformed or has no usable image.
    """
    options = options or DatasetOptions()
    sets = _without_repeats([_find(name, options) for name in names])
    training = ConcatenatedImages([dataset.training for dataset in sets])
    validation = ConcatenatedImages([dataset.validation for dataset in sets])
    train_indices, val_indices = range(len(training)), list(range(len(validation)))
    random.Random(options.seed).shuffle(val_indices)
    if options.max_images is not None and options.max_images < len(training) + len(validation):
        train_indices, val_indices = _limit(train_indices, val_indices, options)
        sets = _limited_sets(sets, train_indices, val_indices)
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
    split = SplitOptions(options.validation_share, options.seed)
    find: dict[str, Callable[[], Dataset]] = {
        DEMO: lambda: demo_set(split),
        FOLDER: lambda: folder_set(name, where, split, options.minimum_colorfulness),
        TINY_IMAGENET: lambda: tiny_imagenet_set(name, where),
        IMAGENET64: lambda: imagenet64_set(name, where),
        COCO: lambda: coco_set(name, where, options.categories, split),
        TFDS: lambda: tfds_set(name, where, options.data_dir, split),
    }
    found = find[kind]()
    if not len(found.training) and not len(found.validation):
        raise InputError(
            f"{name}: no usable images ({found.reasons() or 'none found'}); give "
            "another dataset or less strict options"
        )
    return found


def _without_repeats(sets: list[Dataset]) -> list[Dataset]:
    """Removes images that occur in several datasets; validation images take precedence."""
    if len(sets) == 1:
        return sets
    training, validation = ([getattr(dataset, side) for dataset in sets] for side in _SIDES)
    val_hashes = _hashes(validation)
    val_indices = _by_source(_is_first(val_hashes), validation)
    train_hashes = _hashes(training)
    is_new = _is_first(train_hashes) & ~np.isin(train_hashes, val_hashes)
    train_indices = _by_source(is_new, training)
    return [
        _part(*parts, why="in another dataset")
        for parts in zip(sets, train_indices, val_indices, strict=True)
    ]


def _limit(
    train_indices: Sequence[int], val_indices: list[int], options: DatasetOptions
) -> tuple[Sequence[int], list[int]]:
    """Draws a random subset of both lists, in the same proportion."""
    val_count = round(
        options.max_images * len(val_indices) / (len(train_indices) + len(val_indices))
    )
    if val_indices and train_indices:
        # At least one image on each side.
        val_count = min(max(1, val_count), max(1, options.max_images - 1))
    drawn = random.Random(options.seed).sample(train_indices, options.max_images - val_count)
    return sorted(drawn), val_indices[:val_count]


def _limited_sets(
    sets: list[Dataset], train_indices: Sequence[int], val_indices: list[int]
) -> list[Dataset]:
    """Restricts each dataset to the images chosen from the concatenation of all."""
    training = _split_chosen([dataset.training for dataset in sets], train_indices)
    validation = _split_chosen([dataset.validation for dataset in sets], val_indices)
    return [
        _part(*parts, why="beyond max_images")
        for parts in zip(sets, training, validation, strict=True)
    ]


def _split_chosen(sources: list[ImageSource], chosen: Sequence[int]) -> list[np.ndarray]:
    """Splits indices into the concatenated sources into indices into each source."""
    is_chosen = np.zeros(sum(map(len, sources)), bool)
    is_chosen[chosen] = True
    return _by_source(is_chosen, sources)


def _part(dataset: Dataset, training: np.ndarray, validation: np.ndarray, why: str) -> Dataset:
    """Restricts a dataset to some of its images and counts the others as skipped."""
    skipped = len(dataset.training) + len(dataset.validation) - len(training) - len(validation)
    return dataclasses.replace(
        dataset,
        training=ImageSubset(dataset.training, training),
        validation=ImageSubset(dataset.validation, validation),
        skipped={**dataset.skipped, why: skipped},
    )


def _is_first(hashes: np.ndarray) -> np.ndarray:
    """Marks the first occurrence of each hash."""
    is_first = np.zeros(len(hashes), bool)
    is_first[np.unique(hashes, return_index=True)[1]] = True
    return is_first


def _by_source(mask: np.ndarray, sources: list[ImageSource]) -> list[np.ndarray]:
    """Splits a mask over all images into the indices of the selected images of each source."""
    borders = np.cumsum([len(source) for source in sources])[:-1]
    return [np.flatnonzero(part) for part in np.split(mask, borders)]


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
