"""The pictures that colorizers are judged by: with truth from data sets, without it photographs."""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data.dataset_name import absolute_name
from data.dataset_options import DatasetOptions
from data.datasets import find_pictures
from data.left_out import LeftOut
from data.name_matching import match_by_name
from data.pictures import list_picture_paths
from data.pipeline import PictureLoader, comparison_batches
from data.sources.chosen_pictures import ChosenPictures
from data.sources.joined_pictures import JoinedPictures
from data.sources.picture_files import PictureFiles
from data.sources.picture_source import PictureSource
from data.sources.split_options import SplitOptions
from errors import InputError, shown
from jobs.colorize import list_tasks
from jobs.settings import Settings
from models.weights_folder import WeightsFolder

_ADVICE = "look at the list"

# Missing pictures that are named.
_NAMED = 3


class Batch(NamedTuple):
    """Some of the pictures.

    Attributes:
        names: what the pictures are called, without their folders.
        rgb255: uint8 of shape (batch, resolution, resolution, 3), the pictures themselves.
        predictions: list of as many for each folder of predictions, likewise.
    """

    names: list[str]
    rgb255: np.ndarray
    predictions: list[np.ndarray]


class JudgedPictures:
    """The pictures to judge by, and what other programs made of them.

    Args:
        settings: all settings.
        given: the names of those that stood on the command line.
        trainings: the folders of the weights that are judged.
        log_dir: str, where the list of left-out pictures goes.

    Attributes:
        has_truth: bool, whether the pictures are the truth; photographs are only to be colored.
        description: str, which pictures they are, in words.
        left_out: `LeftOut`.

    Raises:
        InputError: the pictures cannot be found, or none of a folder of predictions is named like
            one of them.
    """

    def __init__(
        self, settings: Settings, given: set[str], trainings: Sequence[WeightsFolder], log_dir: str
    ):
        self.has_truth = not settings.images
        self._settings = settings
        if self.has_truth:
            source, self.description = _of_data_sets(settings, given, trainings)
        else:
            source, self.description = _photographs(settings)
        self._sources = _with_predictions(source, settings.predictions or [], settings.max_pictures)
        self.left_out = LeftOut(os.path.join(log_dir, "left_out.tsv"), len(self), _ADVICE)

    def __len__(self) -> int:
        """How many pictures there are, with those that will turn out to be unusable."""
        return len(self._sources[0])

    def batches(self) -> Iterator[Batch]:
        """The central squares of all pictures, in the same order every time."""
        least = self._settings.minimum_colorfulness if self.has_truth else 0.0
        loaders = [
            # What a program colored is judged, however pale.
            PictureLoader(
                source, self._settings.resolution, self.left_out, 0.0 if number else least
            )
            for number, source in enumerate(self._sources)
        ]
        stream = comparison_batches(loaders, self._settings.resolution, self._settings.batch_size)
        for numbers, rgb255 in stream.as_numpy_iterator():
            names = [os.path.basename(self._sources[0].name(number)) for number in numbers]
            predictions = [rgb255[:, index] for index in range(1, len(loaders))]
            yield Batch(names, rgb255[:, 0], predictions)


def _of_data_sets(
    settings: Settings, given: set[str], trainings: Sequence[WeightsFolder]
) -> tuple[PictureSource, str]:
    """The validation pictures of the data sets; of one that is not split, all."""
    split = _split(settings, given, trainings)
    lists = find_pictures(
        settings.dataset,
        DatasetOptions(
            validation_share=split.validation_share,
            seed=split.seed,
            minimum_colorfulness=settings.minimum_colorfulness,
            categories=settings.categories or (),
            data_dir=settings.data_dir,
        ),
    )
    sources, parts = [], []
    for each in lists.sets:
        is_split = len(each.validation) > 0
        sources.append(each.validation if is_split else each.training)
        what = "its pictures for validation" if is_split else "all of it"
        parts.append(f"{shown(each.name)} ({what})")
    source = JoinedPictures(sources)
    numbers = list(range(len(source)))
    # Any first part of them is a fair sample.
    random.Random(settings.seed).shuffle(numbers)
    return ChosenPictures(source, numbers), ", ".join(parts)


def _split(settings: Settings, given: set[str], trainings: Sequence[WeightsFolder]) -> SplitOptions:
    """How sets without a split of their own are split: as in the training on them, if any was."""
    if "validation_share" in given:
        return SplitOptions(settings.validation_share, settings.seed)
    judged = {absolute_name(name) for name in settings.dataset}
    splits = {}
    for folder in trainings:
        trained = folder.read_settings().get("settings", {})
        if judged.intersection(trained.get("dataset", ())):
            splits[folder.path] = SplitOptions(trained["validation_share"], trained["seed"])
    if not splits:
        return SplitOptions(0.0, settings.seed)
    if len(set(splits.values())) > 1:
        raise InputError(
            f"{' and '.join(shown(path) for path in splits)} were trained on these pictures with "
            "different --seed or --validation_share, so that none of the pictures are new to all; "
            "judge them one by one, or by another --dataset"
        )
    return next(iter(splits.values()))


def _photographs(settings: Settings) -> tuple[PictureSource, str]:
    tasks = list_tasks(settings)
    for task in tasks:
        if task.problem:
            print(f"warning: {shown(task.source)}: {task.problem}", file=sys.stderr)
    paths = [str(task.source) for task in tasks if not task.problem]
    what = ", ".join(map(shown, settings.images))
    return PictureFiles("", paths), f"{what} (without truth)"


def _with_predictions(
    source: PictureSource, folders: Sequence[str], limit: int | None
) -> list[PictureSource]:
    """The first pictures that every folder has, and what each has of them."""
    names = list(source.names())
    matches = []
    for folder in folders:
        paths = _list_predictions(folder)
        matched = match_by_name(names, paths)
        missing = [name for name, path in zip(names, matched, strict=True) if path is None]
        if len(missing) == len(names):
            raise InputError(
                f"--predictions {shown(folder)}: no file of it is named like one of the pictures "
                f"to judge by ({shown(os.path.basename(names[0]))} for one; there, "
                f"{shown(paths[0]) if paths else 'no picture'})"
            )
        if missing:
            some = ", ".join(shown(os.path.basename(name)) for name in missing[:_NAMED])
            print(
                f"warning: {shown(folder)} lacks {len(missing):,} of {len(names):,} pictures "
                f"({some}{' ...' if len(missing) > _NAMED else ''}): nothing is judged by them",
                file=sys.stderr,
            )
        matches.append(matched)
    kept = [number for number in range(len(names)) if all(matched[number] for matched in matches)]
    if not kept:
        raise InputError(
            f"--predictions {' '.join(map(shown, folders))}: no picture is in all of these "
            "folders; judge them one by one"
        )
    kept = kept[:limit]
    return [
        ChosenPictures(source, kept),
        *(
            PictureFiles(folder, [matched[number] for number in kept])
            for folder, matched in zip(folders, matches, strict=True)
        ),
    ]


def _list_predictions(folder: str) -> list[str]:
    try:
        return list_picture_paths(folder)
    except OSError as error:
        raise InputError(
            f"--predictions {shown(folder)}: {error.strerror}; give a folder of colored pictures"
        ) from error
