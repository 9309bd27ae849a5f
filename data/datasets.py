"""Where training pictures come from.

    lists = find_pictures(["my_photographs", "tiny-imagenet:tiny-imagenet-200"])
    print(lists.table())

A data set is named on the command line by a folder, which is searched deep, by `demo`, the natural
photographs that scikit-image installs, or by the kind and the place of a published set. What comes
back is two sources of pictures, of which none has been decoded.
"""

import dataclasses
import functools
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from data.dataset_name import COCO, DEMO, FOLDER, IMAGENET64, TFDS, TINY_IMAGENET, parse_name
from data.sources.chosen_pictures import ChosenPictures
from data.sources.coco import coco_set
from data.sources.data_set import DataSet, SplitOptions
from data.sources.folder import demo_set, folder_set
from data.sources.imagenet64 import imagenet64_set
from data.sources.joined_pictures import JoinedPictures
from data.sources.picture_source import PictureSource
from data.sources.tfds_builder import tfds_set
from data.sources.tiny_imagenet import tiny_imagenet_set
from errors import InputError, shown


@dataclass(frozen=True)
class DatasetOptions:
    """What is asked of data sets besides their names.

    Attributes:
        validation_share: float in [0, 1), the share of pictures to judge by where a data set does
            not say. Unless it is 0, at least one picture of each set is.
        max_pictures: int or None. At most this many pictures of the whole, drawn at random, in the
            same proportion of training and validation.
        seed: int, of the split and the draw.
        minimum_colorfulness: float; folders whose pictures are below it and stand in color beside
            it are left out.
        categories: objects of which pictures of COCO hold at least one; all when there is none.
        data_dir: str or None, where TensorFlow Datasets keeps its own.
    """

    validation_share: float = 0.05
    max_pictures: int | None = None
    seed: int = 0
    minimum_colorfulness: float = 2.0
    categories: Sequence[str] = ()
    data_dir: str | None = None


@dataclass(frozen=True)
class PictureLists:
    """The pictures of one or more data sets.

    Attributes:
        training: the pictures to learn from.
        validation: the pictures to judge by, none of them in `training`, in a fixed random order:
            any first part of them is a fair sample.
        sets: each data set, with what is used of it.
    """

    training: PictureSource
    validation: PictureSource
    sets: list[DataSet]

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of all pictures.

        Raises:
            InputError: a set has none, or two sets have different ones.
        """
        first = self.sets[0]
        for each in self.sets:
            if each.training.classes is None:
                raise InputError(
                    f"labels are needed, and {each.name} has none; give data sets with labels "
                    "(tiny-imagenet, imagenet64, most of tfds)"
                )
            if each.training.classes != first.training.classes:
                raise InputError(
                    f"labels are needed, and {first.name} ({len(first.training.classes)} classes) "
                    f"and {each.name} ({len(each.training.classes)}) have different ones; give "
                    "data sets of the same classes"
                )
        return first.training.classes

    def table(self) -> str:
        """The sizes of the data sets, and what is left out of them and why, in lines to print."""
        rows = [
            (
                shown(each.name),
                f"{len(each.training):,}",
                f"{len(each.validation):,}",
                f"{sum(each.left_out.values()):,}",
                "; ".join(f"{count:,} {why}" for why, count in each.left_out.items() if count),
            )
            for each in self.sets
        ]
        if len(rows) > 1:
            left_out = sum(sum(each.left_out.values()) for each in self.sets)
            together = (len(self.training), len(self.validation), left_out)
            rows.append(("together", *(f"{count:,}" for count in together), ""))
        rows.insert(0, ("data set", "training", "validation", "left out", ""))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            f"{name:{widths[0]}}  {training:>{widths[1]}}  {validation:>{widths[2]}}  "
            f"{left_out:>{widths[3]}}  {why}".rstrip()
            for name, training, validation, left_out, why in rows
        )


def find_pictures(names: Sequence[str], options: DatasetOptions | None = None) -> PictureLists:
    """Finds the pictures of one or more data sets.

    Args:
        names: of data sets, as on the command line; their pictures are joined.
        options: `DatasetOptions`.

    Raises:
        InputError: a data set cannot be found, or is not what it should be.
    """
    options = options or DatasetOptions()
    sets = _without_repeats([_find(name, options) for name in names])
    training = JoinedPictures([each.training for each in sets])
    validation = JoinedPictures([each.validation for each in sets])
    learned_from, judged_by = range(len(training)), list(range(len(validation)))
    random.Random(options.seed).shuffle(judged_by)
    if options.max_pictures is not None and options.max_pictures < len(training) + len(validation):
        learned_from, judged_by = _limit(learned_from, judged_by, options)
        sets = _limited_sets(sets, learned_from, judged_by)
    return PictureLists(
        ChosenPictures(training, learned_from), ChosenPictures(validation, judged_by), sets
    )


def _find(name: str, options: DatasetOptions) -> DataSet:
    kind, where = parse_name(name)
    split = SplitOptions(options.validation_share, options.seed)
    find: dict[str, Callable[[], DataSet]] = {
        DEMO: lambda: demo_set(split),
        FOLDER: lambda: folder_set(name, where, split, options.minimum_colorfulness),
        TINY_IMAGENET: lambda: tiny_imagenet_set(name, where),
        IMAGENET64: lambda: imagenet64_set(name, where),
        COCO: lambda: coco_set(name, where, options.categories, split),
        TFDS: lambda: tfds_set(name, where, options.data_dir, split),
    }
    return find[kind]()


def _without_repeats(sets: list[DataSet]) -> list[DataSet]:
    """Sets of which no two have a picture in common: one to judge by is not learned from."""
    if len(sets) == 1:
        return sets
    validation = [each.validation for each in sets]
    judged_by = _first_seen(validation)
    learned_from = _first_seen([each.training for each in sets], seen=_hashes(validation))
    return [
        _part(*numbers, why="in another set")
        for numbers in zip(sets, learned_from, judged_by, strict=True)
    ]


def _limit(
    learned_from: Sequence[int], judged_by: list[int], options: DatasetOptions
) -> tuple[Sequence[int], list[int]]:
    """A random part of both lists, in the same proportion."""
    kept = round(options.max_pictures * len(judged_by) / (len(learned_from) + len(judged_by)))
    if judged_by and learned_from:
        # At least one on each side.
        kept = min(max(1, kept), max(1, options.max_pictures - 1))
    drawn = random.Random(options.seed).sample(learned_from, options.max_pictures - kept)
    return sorted(drawn), judged_by[:kept]


def _limited_sets(
    sets: list[DataSet], learned_from: Sequence[int], judged_by: list[int]
) -> list[DataSet]:
    """The sets with those of their pictures that are among these of all."""
    training = _shares([each.training for each in sets], learned_from)
    validation = _shares([each.validation for each in sets], judged_by)
    return [
        _part(*numbers, why="beyond --max_pictures")
        for numbers in zip(sets, training, validation, strict=True)
    ]


def _shares(sources: list[PictureSource], chosen: Sequence[int]) -> list[np.ndarray]:
    """For each source the numbers in it of the pictures that were chosen from all."""
    is_chosen = np.zeros(sum(map(len, sources)), bool)
    is_chosen[chosen] = True
    return _by_source(is_chosen, sources)


def _part(each: DataSet, training: np.ndarray, validation: np.ndarray, why: str) -> DataSet:
    """A data set with these of its pictures, and the reason why the others are left out."""
    others = len(each.training) + len(each.validation) - len(training) - len(validation)
    return dataclasses.replace(
        each,
        training=ChosenPictures(each.training, training),
        validation=ChosenPictures(each.validation, validation),
        left_out={**each.left_out, why: others},
    )


def _first_seen(sources: list[PictureSource], seen: np.ndarray | None = None) -> list[np.ndarray]:
    """For each source the numbers of the pictures that are neither in `seen` nor came before."""
    hashes = _hashes(sources)
    is_first = np.zeros(len(hashes), bool)
    is_first[np.unique(hashes, return_index=True)[1]] = True
    if seen is not None:
        is_first &= ~np.isin(hashes, seen)
    return _by_source(is_first, sources)


def _by_source(mask: np.ndarray, sources: list[PictureSource]) -> list[np.ndarray]:
    """For each source the numbers of its pictures that a mask of all lets through."""
    borders = np.cumsum([len(source) for source in sources])[:-1]
    return [np.flatnonzero(part) for part in np.split(mask, borders)]


def _hashes(sources: list[PictureSource]) -> np.ndarray:
    """A number for each picture, int64, by its name: a million names would take 100 MB."""
    # The same file may be named from here, from the root, and through a link to its folder.
    real_folder = functools.cache(os.path.realpath)
    names = (
        (real_folder(os.path.dirname(name)), os.path.basename(name))
        for source in sources
        for name in source.names()
    )
    return np.fromiter(map(hash, names), "int64", sum(map(len, sources)))
