"""Shows what a training would see: the datasets, images from the stream, their color and speed.

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
from jobs.common.folders import make_folder
from jobs.common.progress_bar import progress_bar
from jobs.train.dataset import TrainingData, find_training_images

_SHEET = "inspect.png"
_SHEET_IMAGES = 16
# Enough for a mean within a few percent.
_MEASURED_IMAGES = 512
_SECONDS = 5.0
_BATCHES_BEFORE = 4

# Where ab is shown alone: light enough for any color, in the range of networks.
_LIGHTNESS_OF_AB = 0.3

# Classes that are named.
_NAMED = 3
_WORDNET_ID = re.compile(r"n\d{8}")


def inspect(settings: Settings) -> int:
    """Prints and draws what a training with these settings would see.

    Returns:
        The exit status, 0.

    Raises:
        ColorizerError: one of its kinds; see `errors`.
    """
    lists = find_training_images(settings)
    print(lists.table())
    data = TrainingData(settings, lists, settings.output_dir)
    make_folder(settings.output_dir, "output_dir")
    _show_classes(data.lists.sets, settings.class_index)
    with data.translate_errors():
        _show_images(data, settings)
        _show_speed(data, settings)
    return 0


def _show_classes(sets: list[Dataset], class_index: str | None) -> None:
    """Says how many classes each set has, and which of ImageNet's 1000 they are."""
    by_name = {each.name: each.training.classes for each in sets if each.training.classes}
    if class_index and not any(map(_are_wordnet_ids, by_name.values())):
        raise InputError(
            f"--class_index {class_index}: no dataset here has classes of ImageNet; leave it out"
        )
    for name, classes in by_name.items():
        print(f"{name}: {len(classes)} classes: {_some(classes)}{_match(classes, class_index)}")


def _match(classes: tuple[str, ...], class_index: str | None) -> str:
    """Which of ImageNet's classes these are, where they are any."""
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


def _some(values: Sequence) -> str:
    """The first of them, in words."""
    return ", ".join(map(str, values[:_NAMED])) + (" ..." if len(values) > _NAMED else "")


def _show_images(data: TrainingData, settings: Settings) -> None:
    """Draws the first images of the stream, and says how colorful they are."""
    begun, first = time.perf_counter(), None
    drawn, labels, measured = [], [], []
    with progress_bar("looking at images", total=_MEASURED_IMAGES) as bar:
        for lightness, ab, label in data.training_batches(start=0, with_labels=True):
            first = first or time.perf_counter() - begun
            lab1 = join_lab(lightness, ab)
            rgb255 = np.asarray(rgb1_to_rgb255(lab1_to_rgb1(lab1)))
            measured.extend(colorfulness(rgb255.astype("float32")))
            if len(drawn) < _SHEET_IMAGES:
                drawn.extend(np.asarray(lab1))
                labels.extend(np.asarray(label))
            bar.update(len(rgb255))
            if len(measured) >= _MEASURED_IMAGES:
                break
    sheet = os.path.join(settings.output_dir, _SHEET)
    lab1 = np.stack(drawn[:_SHEET_IMAGES])
    write_rgb(sheet, draw_contact_sheet(_kinds(lab1), _captions(data.lists.sets, labels)))
    print(
        f"mean colorfulness {np.mean(measured):.1f} (of {len(measured)} crops; the dullest tenth "
        f"below {np.percentile(measured, 10):.1f}); {len(lab1)} of them in {sheet}"
    )
    print(f"the first batch came after {first:.1f} s")


def _kinds(lab1: np.ndarray) -> dict[str, np.ndarray]:
    """The images in gray, their ab at one lightness, and in color, as pixels."""
    lightness, ab = lab1[..., :1], lab1[..., 1:]
    kinds = {
        "gray": join_lab(lightness, np.zeros_like(ab)),
        "ab": join_lab(np.full_like(lightness, _LIGHTNESS_OF_AB), ab),
        "color": lab1,
    }
    return {name: np.asarray(rgb1_to_rgb255(lab1_to_rgb1(kinds[name]))) for name in kinds}


def _captions(sets: list[Dataset], labels: list[int]) -> list[str] | None:
    """What the images are labeled, in words where the dataset has them."""
    words = {wordnet_id: meaning for each in sets for wordnet_id, meaning in each.words.items()}
    spaces = {each.training.classes for each in sets}
    classes = spaces.pop() if len(spaces) == 1 else None
    if classes is None:
        return None
    texts = [words.get(each, each).split(",")[0] for each in classes]
    return [texts[label] if label >= 0 else "" for label in labels]


def _show_speed(data: TrainingData, settings: Settings) -> None:
    """Says how many images come in a second."""
    stream = iter(data.training_batches(start=_MEASURED_IMAGES))
    # What is ready when the clock starts was not made in its time.
    for _ in range(_BATCHES_BEFORE):
        next(stream)
    images, begun = 0, time.perf_counter()
    with progress_bar("measuring the pipeline") as bar:
        while time.perf_counter() - begun < _SECONDS:
            next(stream)
            images += settings.batch_size
            bar.update(settings.batch_size)
    speed = images / (time.perf_counter() - begun)
    print(
        f"{speed:.0f} images a second at {settings.resolution} px on {os.cpu_count()} processor "
        "cores"
    )
