"""The images of an evaluation: datasets with ground truth, or photographs without it."""

import os
import random
import sys
from collections import Counter
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
from data.image_io import describe_passed_over, list_image_paths
from data.input.batches import comparison_batches
from data.input.image_loader import ImageLoader
from data.input.skipped_images import SkippedImages
from errors import InputError, shown
from jobs.colorize.find_photos import find_photographs
from jobs.common.error_translation import about_option
from jobs.evaluate.training_overlap import find_training_overlap
from models.checkpoints.folder import WeightsFolder

# The sheet in --output_dir. It is excluded from the images, which may be in the same folder.
SHEET = "evaluation.png"

_ADVICE = (
    "look at the list; if a program cropped or stretched its images, give a --dataset of the same "
    "crops"
)

# How many missing images a warning names.
_MOST_NAMED = 3


class Batch(NamedTuple):
    """A batch of the evaluated images.

    Attributes:
        names: list of str, the file names without their folders.
        short_sides: int32 array of shape (batch,), the shorter sides of the files in pixels.
        rgb255: uint8 array of shape (batch, resolution, resolution, 3), the central squares.
        predictions: list of uint8 arrays of the same shape, one for each folder of predictions.
    """

    names: list[str]
    short_sides: np.ndarray
    rgb255: np.ndarray
    predictions: list[np.ndarray]


class EvaluationImages:
    """The images of an evaluation, and the predictions of other programs for them.

    Args:
        settings: `Settings`.
        explicit: set of str, the names of the settings that the user gave.
        folders: sequence of `WeightsFolder`, the weights to evaluate. Images that they were
            trained on are excluded.
        log_dir: str, the folder that the list of skipped images is written to.

    Attributes:
        has_truth: bool, whether the images are the ground truth; photographs are only colored.
        description: str, which images these are, for the title.
        total: int, the number of images found, including those that will not be evaluated.
        predictions: list of str, the folders of predictions, without repeats.
        skipped: `SkippedImages`.

    Raises:
        InputError: the images cannot be found, or a folder of predictions has no file that is
            named like one of them.
    """

    def __init__(
        self, settings: Settings, explicit: set[str], folders: Sequence[WeightsFolder], log_dir: str
    ):
        self.has_truth = not settings.images
        self._settings = settings
        if self.has_truth:
            source, self.description = _find_dataset_images(settings, explicit, folders)
        else:
            source, self.description = _list_photographs(settings)
        self.total = len(source)
        self.predictions = list(
            {os.path.realpath(path): path for path in settings.predictions or []}.values()
        )
        self._sources = _with_predictions(source, self.predictions, settings.max_images)
        self.skipped = SkippedImages(
            os.path.join(log_dir, "skipped_images.tsv"), len(self), _ADVICE
        )

    def __len__(self) -> int:
        """The number of images to evaluate, including those that turn out to be unusable."""
        return len(self._sources[0])

    def batches(self) -> Iterator[Batch]:
        """Yields the central squares of all images, in the same order on every call."""
        minimum_colorfulness = self._settings.minimum_colorfulness if self.has_truth else 0.0
        # Decoded at full size (None), because decoders differ in how they shrink. Predictions are
        # evaluated however pale they are.
        loaders = [
            ImageLoader(source, None, self.skipped, 0.0 if number else minimum_colorfulness)
            for number, source in enumerate(self._sources)
        ]
        stream = comparison_batches(loaders, self._settings.resolution, self._settings.batch_size)
        for numbers, short_sides, rgb255 in stream.as_numpy_iterator():
            names = [os.path.basename(self._sources[0].name(number)) for number in numbers]
            predictions = [rgb255[:, index] for index in range(1, len(loaders))]
            yield Batch(names, short_sides, rgb255[:, 0], predictions)


def _find_dataset_images(
    settings: Settings, explicit: set[str], folders: Sequence[WeightsFolder]
) -> tuple[ImageSource, str]:
    """The validation images of the datasets; all images of a dataset that has no split.

    Images that the weights were trained on are excluded.
    """
    options = DatasetOptions(
        validation_share=settings.validation_share if "validation_share" in explicit else 0.0,
        seed=settings.seed,
        minimum_colorfulness=settings.minimum_colorfulness,
        categories=settings.categories or (),
        data_dir=settings.data_dir,
    )
    with about_option("dataset"):
        sets = [find_images([name], options).sets[0] for name in dict.fromkeys(settings.dataset)]
    for dataset in sets:
        for warning in dataset.warnings:
            print(f"warning: {shown(dataset.name)}: {warning}", file=sys.stderr)
    trained_on = [
        source for folder in folders for source in find_training_overlap(folder, settings.dataset)
    ]
    sources: list[ImageSource] = [ImageFiles(settings.output_dir, [SHEET])]
    parts = []
    for dataset in sets:
        is_split = len(dataset.validation) > 0
        source = without_images(dataset.validation if is_split else dataset.training, sources)
        sources.append(without_images(source, trained_on))
        remarks = ["its validation images"] if is_split else []
        known = len(source) - len(sources[-1])
        if known:
            remarks.append(f"without {known:,} that the weights were trained on")
        parts.append(shown(dataset.name) + (f" ({', '.join(remarks)})" if remarks else ""))
    source = ConcatenatedImages(sources[1:])
    if not len(source):
        raise InputError(
            f"--dataset {' '.join(map(shown, settings.dataset))}: the weights were trained on all "
            "of these images; give another --dataset"
        )
    numbers = list(range(len(source)))
    # Shuffled, so that the first --max_images of them are a fair sample.
    random.Random(settings.seed).shuffle(numbers)
    return ImageSubset(source, numbers), ", ".join(parts)


def _list_photographs(settings: Settings) -> tuple[ImageSource, str]:
    paths: dict[str, str] = {}
    passed_over: Counter[str] = Counter()
    given = settings.images or ()
    for name in given:
        for path, _, problem in find_photographs(name, Path(settings.output_dir), passed_over):
            if problem:
                print(f"warning: {shown(path)}: {problem}", file=sys.stderr)
            else:
                paths.setdefault(os.path.realpath(path), str(path))
    names = ", ".join(map(shown, given))
    if not paths:
        raise InputError(f"--images {names}: no images found; give photographs or folders of them")
    if passed_over:
        print(f"note: {describe_passed_over(passed_over)}", file=sys.stderr)
    return ImageFiles("", list(paths.values())), f"{names} (without ground truth)"


def _with_predictions(
    source: ImageSource, folders: Sequence[str], limit: int | None
) -> list[ImageSource]:
    """The first `limit` images that have a prediction in every folder, then the predictions."""
    names = list(source.names())
    matches = [_match(names, folder) for folder in folders]
    kept = [number for number in range(len(names)) if all(number in match for match in matches)]
    if not kept:
        raise InputError(
            f"--predictions {' '.join(map(shown, folders))}: no image is in all of these "
            "folders; evaluate them one at a time"
        )
    kept = kept[:limit]
    return [
        ImageSubset(source, kept),
        *(
            ImageFiles(folder, [matched[number] for number in kept])
            for folder, matched in zip(folders, matches, strict=True)
        ),
    ]


def _match(names: Sequence[str], folder: str) -> dict[int, str]:
    """The predictions by the numbers of the images. Prints a warning if some are missing."""
    try:
        paths = list_image_paths(folder)
    except OSError as error:
        raise InputError(
            f"--predictions {shown(folder)}: {error.strerror}; give a folder of colored images"
        ) from error
    matched = match_by_name(names, paths)
    missing = [name for name, path in zip(names, matched, strict=True) if path is None]
    if len(missing) == len(names):
        found = f"the first file is {shown(paths[0])}" if paths else "the folder has no images"
        raise InputError(
            f"--predictions {shown(folder)}: no file in it is named like one of the images to "
            f"evaluate (the first image is {shown(os.path.basename(names[0]))}; {found}); name "
            "each prediction like its image"
        )
    if missing:
        some = ", ".join(shown(os.path.basename(name)) for name in missing[:_MOST_NAMED])
        print(
            f"warning: {shown(folder)} lacks {len(missing):,} of {len(names):,} images "
            f"({some}{' ...' if len(missing) > _MOST_NAMED else ''}): skipped in every row",
            file=sys.stderr,
        )
    return {number: path for number, path in enumerate(matched) if path is not None}
