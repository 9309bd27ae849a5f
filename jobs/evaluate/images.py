"""The images that colorizers are judged by: with truth from datasets, without it photographs."""

import os
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from config.settings import Settings
from data.datasets.concatenated_images import ConcatenatedImages
from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images, without_images
from data.datasets.image_files import ImageFiles
from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset
from data.datasets.name_matching import match_by_name
from data.image_io import list_image_paths
from data.input.batches import comparison_batches
from data.input.image_loader import ImageLoader
from data.input.skipped_images import SkippedImages
from errors import InputError, shown
from jobs.colorize.find_photos import find_photographs
from jobs.evaluate.training_overlap import find_training_overlap
from models.checkpoints.folder import WeightsFolder

# What an evaluation draws in --output_dir, which may lie among the images.
SHEET = "evaluation.png"

_ADVICE = (
    "look at the list; what a program cropped or squashed is compared with --dataset of the same "
    "crops"
)

# Missing images that are named.
_NAMED = 3


class Batch(NamedTuple):
    """Some of the images.

    Attributes:
        names: what the images are called, without their folders.
        short_sides: int32 of shape (batch,), the shorter sides of the files in pixels.
        rgb255: uint8 of shape (batch, resolution, resolution, 3), their central squares.
        predictions: a list of as many for each folder of predictions, likewise.
    """

    names: list[str]
    short_sides: np.ndarray
    rgb255: np.ndarray
    predictions: list[np.ndarray]


class EvaluationImages:
    """The images to judge by, and what other programs made of them.

    Args:
        settings: all settings.
        explicit: the names of the settings that the command line gives.
        folders: of the weights that are judged: what they learned from is left out.
        log_dir: str, where the list of skipped images goes.

    Attributes:
        has_truth: bool, whether the images are the truth; photographs are only to be colored.
        description: str, which images they are, in words.
        total: int, how many there are, of which some may not be judged by.
        predictions: list of str, the folders of predictions, each once.
        skipped: `SkippedImages`.

    Raises:
        InputError: the images cannot be found, or none of a folder of predictions is named like
            one of them.
    """

    def __init__(
        self, settings: Settings, explicit: set[str], folders: Sequence[WeightsFolder], log_dir: str
    ):
        self.has_truth = not settings.images
        self._settings = settings
        if self.has_truth:
            source, self.description = _of_datasets(settings, explicit, folders)
        else:
            source, self.description = _photographs(settings)
        self.total = len(source)
        self.predictions = list(
            {os.path.realpath(path): path for path in settings.predictions or []}.values()
        )
        self._sources = _with_predictions(source, self.predictions, settings.max_images)
        self.skipped = SkippedImages(
            os.path.join(log_dir, "skipped_images.tsv"), len(self), _ADVICE
        )

    def __len__(self) -> int:
        """How many images are to be judged by, with those that will turn out to be unusable."""
        return len(self._sources[0])

    def batches(self) -> Iterator[Batch]:
        """The central squares of all images, in the same order every time."""
        least = self._settings.minimum_colorfulness if self.has_truth else 0.0
        # Whole, because decoders that shrink do so each in its own way. What a program colored is
        # judged, however pale.
        loaders = [
            ImageLoader(source, None, self.skipped, 0.0 if number else least)
            for number, source in enumerate(self._sources)
        ]
        stream = comparison_batches(loaders, self._settings.resolution, self._settings.batch_size)
        for numbers, short_sides, rgb255 in stream.as_numpy_iterator():
            names = [os.path.basename(self._sources[0].name(number)) for number in numbers]
            predictions = [rgb255[:, index] for index in range(1, len(loaders))]
            yield Batch(names, short_sides, rgb255[:, 0], predictions)


def _of_datasets(
    settings: Settings, explicit: set[str], folders: Sequence[WeightsFolder]
) -> tuple[ImageSource, str]:
    """What the datasets hold out for validation; of one that is not split, all that is new."""
    options = DatasetOptions(
        validation_share=settings.validation_share if "validation_share" in explicit else 0.0,
        seed=settings.seed,
        minimum_colorfulness=settings.minimum_colorfulness,
        categories=settings.categories or (),
        data_dir=settings.data_dir,
    )
    learned = [
        source for folder in folders for source in find_training_overlap(folder, settings.dataset)
    ]
    sources = [ImageFiles(settings.output_dir, [SHEET])]
    parts = []
    for name in dict.fromkeys(settings.dataset):
        [each] = find_images([name], options).sets
        is_split = len(each.validation) > 0
        source = without_images(each.validation if is_split else each.training, sources)
        sources.append(without_images(source, learned))
        remarks = ["its images for validation"] if is_split else []
        known = len(source) - len(sources[-1])
        if known:
            remarks.append(f"without {known:,} that the weights learned from")
        parts.append(shown(each.name) + (f" ({', '.join(remarks)})" if remarks else ""))
    source = ConcatenatedImages(sources[1:])
    if not len(source):
        raise InputError(
            f"--dataset {' '.join(map(shown, settings.dataset))}: the weights learned from all of "
            "these images; judge them by others"
        )
    numbers = list(range(len(source)))
    # Any first part of them is a fair sample.
    random.Random(settings.seed).shuffle(numbers)
    return ImageSubset(source, numbers), ", ".join(parts)


def _photographs(settings: Settings) -> tuple[ImageSource, str]:
    paths = {}
    for name in settings.images:
        for path, _, problem in find_photographs(name, Path(settings.output_dir)):
            if problem:
                print(f"warning: {shown(path)}: {problem}", file=sys.stderr)
            else:
                paths.setdefault(os.path.realpath(path), str(path))
    what = ", ".join(map(shown, settings.images))
    if not paths:
        raise InputError(f"--images {what}: no image in it; give photographs, or a folder of them")
    return ImageFiles("", list(paths.values())), f"{what} (without truth)"


def _with_predictions(
    source: ImageSource, folders: Sequence[str], limit: int | None
) -> list[ImageSource]:
    """The first images that every folder has, and what each has of them."""
    names = list(source.names())
    matches = [_match(names, folder) for folder in folders]
    kept = [number for number in range(len(names)) if all(each[number] for each in matches)]
    if not kept:
        raise InputError(
            f"--predictions {' '.join(map(shown, folders))}: no image is in all of these "
            "folders; judge them one by one"
        )
    kept = kept[:limit]
    return [
        ImageSubset(source, kept),
        *(
            ImageFiles(folder, [matched[number] for number in kept])
            for folder, matched in zip(folders, matches, strict=True)
        ),
    ]


def _match(names: Sequence[str], folder: str) -> list[str | None]:
    """What a folder of predictions has of each image; says what it lacks."""
    paths = _list_predictions(folder)
    matched = match_by_name(names, paths)
    missing = [name for name, path in zip(names, matched, strict=True) if path is None]
    if len(missing) == len(names):
        raise InputError(
            f"--predictions {shown(folder)}: no file of it is named like one of the images to "
            f"judge by ({shown(os.path.basename(names[0]))} for one; there, "
            f"{shown(paths[0]) if paths else 'no image'})"
        )
    if missing:
        some = ", ".join(shown(os.path.basename(name)) for name in missing[:_NAMED])
        print(
            f"warning: {shown(folder)} lacks {len(missing):,} of {len(names):,} images "
            f"({some}{' ...' if len(missing) > _NAMED else ''}): nothing is judged by them",
            file=sys.stderr,
        )
    return matched


def _list_predictions(folder: str) -> list[str]:
    try:
        return list_image_paths(folder)
    except OSError as error:
        raise InputError(
            f"--predictions {shown(folder)}: {error.strerror}; give a folder of colored images"
        ) from error
