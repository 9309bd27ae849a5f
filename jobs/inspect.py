"""Shows what a training would receive: its datasets, sample images, their color and the speed.

Usage:
    python run.py --inspect --dataset my_photographs/
"""

import os
import re
import time
from collections.abc import Sequence

import numpy as np

from config.settings import Settings
from data.color.colorfulness import colorfulness
from data.color.lab import join_lab, lab1_to_rgb1, rgb1_to_rgb255
from data.datasets.dataset import Dataset
from data.datasets.imagenet_classes import imagenet_numbers
from data.image_io import write_rgb
from errors import InputError
from jobs.common.contact_sheet import draw_contact_sheet
from jobs.common.error_translation import about_option
from jobs.common.folders import make_folder
from jobs.common.progress_bar import progress_bar
from jobs.train.dataset import TrainingData, find_training_images, print_datasets

_SHEET = "inspect.png"
_SHEET_IMAGES = 16
# Enough images for a mean colorfulness that is within a few percent.
MEASURED_IMAGES = 512
SECONDS = 5.0
_BATCHES_BEFORE = 4

# The lightness at which ab is shown alone, in the range of networks: light enough for any color.
_LIGHTNESS_OF_AB = 0.3

# How many classes and class numbers are printed.
_NAMED = 3
_WORDNET_ID = re.compile(r"n\d{8}")


def inspect(settings: Settings) -> int:
    """Prints and draws what a training with these settings would receive.

    Args:
        settings: `Settings`.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its subclasses; see `errors`.
    """
    lists = find_training_images(settings)
    print_datasets(lists)
    data = TrainingData(settings, lists, settings.output_dir)
    make_folder(settings.output_dir, "output_dir")
    with about_option("class_index"):
        _show_classes(data.lists.sets, settings.class_index)
    with data.translate_errors():
        _show_images(data, settings)
        _show_speed(data, settings)
    return 0


def _show_classes(sets: list[Dataset], class_index: str | None) -> None:
    """Prints how many classes each dataset has, and which of ImageNet's 1000 they are."""
    by_name = {
        dataset.name: dataset.training.classes for dataset in sets if dataset.training.classes
    }
    if class_index and not any(map(_are_wordnet_ids, by_name.values())):
        raise InputError(f"{class_index}: none of the datasets has ImageNet classes; leave it out")
    for name, classes in by_name.items():
        print(f"{name}: {len(classes)} classes: {_some(classes)}{_match(classes, class_index)}")


def _match(classes: tuple[str, ...], class_index: str | None) -> str:
    """Text that says which of ImageNet's classes these are; empty if they are not WordNet ids."""
    if not _are_wordnet_ids(classes):
        return ""
    try:
        return f"; ImageNet's numbers {_some(imagenet_numbers(classes, class_index))}"
    except InputError as error:
        if class_index:
            raise
        return f"; {error}"


def _are_wordnet_ids(classes: tuple[str, ...]) -> bool:
    return all(map(_WORDNET_ID.fullmatch, classes))


def _some(values: Sequence[str] | np.ndarray) -> str:
    """The first few values as text."""
    return ", ".join(map(str, values[:_NAMED])) + (" ..." if len(values) > _NAMED else "")


def _show_images(data: TrainingData, settings: Settings) -> None:
    """Draws the first images of the stream and prints their colorfulness and the first delay."""
    start, first_delay = time.perf_counter(), None
    drawn: list[np.ndarray] = []
    labels: list[int] = []
    measured: list[float] = []
    with progress_bar("reading images", total=MEASURED_IMAGES) as bar:
        for lightness, ab, label in data.training_batches(start=0, with_labels=True):
            first_delay = first_delay or time.perf_counter() - start
            lab1 = join_lab(lightness, ab)
            rgb255 = np.asarray(rgb1_to_rgb255(lab1_to_rgb1(lab1)))
            measured.extend(colorfulness(rgb255.astype("float32")))
            if len(drawn) < _SHEET_IMAGES:
                drawn.extend(np.asarray(lab1))
                labels.extend(np.asarray(label))
            bar.update(len(rgb255))
            if len(measured) >= MEASURED_IMAGES:
                break
    sheet = os.path.join(settings.output_dir, _SHEET)
    lab1 = np.stack(drawn[:_SHEET_IMAGES])
    write_rgb(sheet, draw_contact_sheet(_kinds(lab1), _captions(data.lists.sets, labels)))
    print(
        f"mean colorfulness {np.mean(measured):.1f} ({len(measured)} crops, 10th percentile "
        f"{np.percentile(measured, 10):.1f}); {len(lab1)} of them are shown in {sheet}"
    )
    print(f"the first batch arrived after {first_delay:.1f} s")


def _kinds(lab1: np.ndarray) -> dict[str, np.ndarray]:
    """The images in gray, their ab at a constant lightness, and in color, as uint8 RGB."""
    lightness, ab = lab1[..., :1], lab1[..., 1:]
    kinds = {
        "gray": join_lab(lightness, np.zeros_like(ab)),
        "ab": join_lab(np.full_like(lightness, _LIGHTNESS_OF_AB), ab),
        "color": lab1,
    }
    return {name: np.asarray(rgb1_to_rgb255(lab1_to_rgb1(kinds[name]))) for name in kinds}


def _captions(sets: list[Dataset], labels: list[int]) -> list[str] | None:
    """The labels of the images as text, or None if the datasets do not share their classes."""
    words = {wordnet_id: text for dataset in sets for wordnet_id, text in dataset.words.items()}
    class_sets = {dataset.training.classes for dataset in sets}
    classes = class_sets.pop() if len(class_sets) == 1 else None
    if classes is None:
        return None
    texts = [words.get(name, name).split(",")[0] for name in classes]
    return [texts[label] if label >= 0 else "" for label in labels]


def _show_speed(data: TrainingData, settings: Settings) -> None:
    """Measures and prints how many images the pipeline yields per second."""
    stream = iter(data.training_batches(start=MEASURED_IMAGES))
    # Batches that are ready when the clock starts would make the pipeline look too fast.
    for _ in range(_BATCHES_BEFORE):
        next(stream)
    images, start = 0, time.perf_counter()
    with progress_bar("measuring the pipeline") as bar:
        while time.perf_counter() - start < SECONDS:
            next(stream)
            images += settings.batch_size
            bar.update(settings.batch_size)
    speed = images / (time.perf_counter() - start)
    print(
        f"{speed:.0f} images per second at {settings.resolution} px on {os.cpu_count()} processor "
        "cores"
    )
