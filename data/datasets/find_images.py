"""Where training images come from.

    lists = find_images(["my_photographs", "tiny-imagenet:tiny-imagenet-200"])
    print(lists.table())

A dataset is named on the command line by a folder, which is searched deep, by `demo`, the natural
photographs that scikit-image installs, or by the kind and the place of a published set. What comes
back is two sources of images, of which none has been decoded.
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
        names: of datasets, as on the command line; their images are joined.
        options: `DatasetOptions`.

    Raises:
        InputError: a dataset cannot be found, or is not what it should be.
    """
    options = options or DatasetOptions()
    sets = _without_repeats([_find(name, options) for name in names])
    training = ConcatenatedImages([each.training for each in sets])
    validation = ConcatenatedImages([each.validation for each in sets])
    learned_from, judged_by = range(len(training)), list(range(len(validation)))
    random.Random(options.seed).shuffle(judged_by)
    if options.max_images is not None and options.max_images < len(training) + len(validation):
        learned_from, judged_by = _limit(learned_from, judged_by, options)
        sets = _limited_sets(sets, learned_from, judged_by)
    return ImageLists(ImageSubset(training, learned_from), ImageSubset(validation, judged_by), sets)


def without_images(source: ImageSource, others: Sequence[ImageSource]) -> ImageSource:
    """The images of a source that are in none of the others, wherever these are named from."""
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
            f"--dataset {name}: no image of it can be used ({found.reasons() or 'none is there'})"
            "; give another one, or ask for less"
        )
    return found


def _without_repeats(sets: list[Dataset]) -> list[Dataset]:
    """Sets of which no two have an image in common: one to judge by is not learned from."""
    if len(sets) == 1:
        return sets
    training, validation = ([getattr(each, side) for each in sets] for side in _SIDES)
    judged = _hashes(validation)
    judged_by = _by_source(_is_first(judged), validation)
    hashes = _hashes(training)
    learned_from = _by_source(_is_first(hashes) & ~np.isin(hashes, judged), training)
    return [
        _part(*numbers, why="in another set")
        for numbers in zip(sets, learned_from, judged_by, strict=True)
    ]


def _limit(
    learned_from: Sequence[int], judged_by: list[int], options: DatasetOptions
) -> tuple[Sequence[int], list[int]]:
    """A random part of both lists, in the same proportion."""
    kept = round(options.max_images * len(judged_by) / (len(learned_from) + len(judged_by)))
    if judged_by and learned_from:
        # At least one on each side.
        kept = min(max(1, kept), max(1, options.max_images - 1))
    drawn = random.Random(options.seed).sample(learned_from, options.max_images - kept)
    return sorted(drawn), judged_by[:kept]


def _limited_sets(
    sets: list[Dataset], learned_from: Sequence[int], judged_by: list[int]
) -> list[Dataset]:
    """The sets with those of their images that are among these of all."""
    training = _shares([each.training for each in sets], learned_from)
    validation = _shares([each.validation for each in sets], judged_by)
    return [
        _part(*numbers, why="beyond --max_images")
        for numbers in zip(sets, training, validation, strict=True)
    ]


def _shares(sources: list[ImageSource], chosen: Sequence[int]) -> list[np.ndarray]:
    """For each source the numbers in it of the images that were chosen from all."""
    is_chosen = np.zeros(sum(map(len, sources)), bool)
    is_chosen[chosen] = True
    return _by_source(is_chosen, sources)


def _part(each: Dataset, training: np.ndarray, validation: np.ndarray, why: str) -> Dataset:
    """A dataset with these of its images, and the reason why the others are left out."""
    others = len(each.training) + len(each.validation) - len(training) - len(validation)
    return dataclasses.replace(
        each,
        training=ImageSubset(each.training, training),
        validation=ImageSubset(each.validation, validation),
        skipped={**each.skipped, why: others},
    )


def _is_first(hashes: np.ndarray) -> np.ndarray:
    """Whether each number is not among those before it."""
    is_first = np.zeros(len(hashes), bool)
    is_first[np.unique(hashes, return_index=True)[1]] = True
    return is_first


def _by_source(mask: np.ndarray, sources: list[ImageSource]) -> list[np.ndarray]:
    """For each source the numbers of its images that a mask of all lets through."""
    borders = np.cumsum([len(source) for source in sources])[:-1]
    return [np.flatnonzero(part) for part in np.split(mask, borders)]


def _hashes(sources: Sequence[ImageSource]) -> np.ndarray:
    """A number for each image, int64, by its name: a million names would take 100 MB."""
    # The same file may be named from here, from the root, and through a link to its folder.
    real_folder = functools.cache(os.path.realpath)
    names = (
        (real_folder(os.path.dirname(name)), os.path.basename(name))
        for source in sources
        for name in source.names()
    )
    return np.fromiter(map(hash, names), "int64", sum(map(len, sources)))
