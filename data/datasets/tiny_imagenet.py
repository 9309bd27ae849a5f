"""Tiny ImageNet in its published layout: 200 ImageNet classes, 64 x 64.

    train/n01443537/images/n01443537_0.JPEG     the folder is the class
    val/images/val_0.JPEG                       the class is in val/val_annotations.txt
    wnids.txt                                   the WordNet ids of the classes
    words.txt                                   the meanings of the ids

Reference: http://cs231n.stanford.edu/tiny-imagenet-200.zip
"""

import os

from data.datasets.dataset import Dataset
from data.datasets.dataset_name import names_like
from data.datasets.dataset_options import DatasetOptions
from data.datasets.folder import list_folder
from data.datasets.image_files import ImageFiles
from errors import InputError, shown

_TRAINING = "train"
_VALIDATION = os.path.join("val", "images")
_TEST = os.path.join("test", "images")
_ANNOTATIONS = os.path.join("val", "val_annotations.txt")
_IDS = "wnids.txt"
_WORDS = "words.txt"


def tiny_imagenet_set(name: str, folder: str, _: DatasetOptions | None = None) -> Dataset:
    """Finds the images of Tiny ImageNet, with classes named and sorted by WordNet id.

    Args:
        name: str, the dataset's name in the table.
        folder: str, the folder that contains `train` and `val`.

    Returns:
        `Dataset`.

    Raises:
        InputError: if part of the layout is missing, or labels do not match the classes.
    """
    if not os.path.isdir(folder):
        raise InputError(
            f"{folder} is not a folder{names_like(folder)}; give the one that contains {_TRAINING}"
        )
    for part in (_TRAINING, _VALIDATION, _ANNOTATIONS, _IDS, _WORDS):
        exists = os.path.isdir if part in (_TRAINING, _VALIDATION) else os.path.exists
        if not exists(os.path.join(folder, part)):
            raise InputError(
                f"{part} is not in {folder}; give the folder that contains {_TRAINING}, val, "
                f"{_IDS} and {_WORDS}, as in the published archive"
            )
    numbers = {
        wordnet_id: number for number, wordnet_id in enumerate(sorted({*_lines(folder, _IDS)}))
    }
    training = _training_images(folder, numbers)
    validation, skipped = _validation_images(folder, numbers)
    rows = (line.partition("\t") for line in _lines(folder, _WORDS))
    words = {wordnet_id: words.strip() for wordnet_id, _, words in rows if wordnet_id in numbers}
    test = os.path.join(folder, _TEST)
    if os.path.isdir(test):
        skipped["test images without labels"] = len(list_folder(test))
    return Dataset(name, training, validation, skipped, words)


def _training_images(folder: str, numbers: dict[str, int]) -> ImageFiles:
    paths = list_folder(os.path.join(folder, _TRAINING))
    wordnet_ids = [path.split(os.sep, 1)[0] for path in paths]
    for path, wordnet_id in zip(paths, wordnet_ids, strict=True):
        if wordnet_id not in numbers:
            raise InputError(
                f"labels do not match: {_TRAINING}/{shown(path)} is of a class that is not in "
                f"{_IDS}; unpack the archive again"
            )
    labels = [numbers[wordnet_id] for wordnet_id in wordnet_ids]
    classes = tuple(numbers)
    for number in set(numbers.values()).difference(labels):
        raise InputError(
            f"{_TRAINING}/{classes[number]}, a class of {_IDS}, has no image; unpack the archive "
            "again"
        )
    return ImageFiles(os.path.join(folder, _TRAINING), paths, labels, classes)


def _validation_images(folder: str, numbers: dict[str, int]) -> tuple[ImageFiles, dict[str, int]]:
    annotated: dict[str, str] = {}
    for line in _lines(folder, _ANNOTATIONS):
        image, wordnet_id, *_ = [*line.split("\t"), ""]
        if wordnet_id not in numbers or annotated.setdefault(image, wordnet_id) != wordnet_id:
            known = f"in {_IDS}" if wordnet_id not in numbers else f"{annotated[image]} as before"
            raise InputError(
                f"labels do not match: {_ANNOTATIONS} says that {image} is "
                f"{wordnet_id or 'nothing'}, which is not {known}; unpack the archive again"
            )
    images = os.path.join(folder, _VALIDATION)
    present = list_folder(images)
    paths = [path for path in present if path in annotated]
    skipped = {
        "annotated, but missing": len(annotated) - len(paths),
        "not annotated": len(present) - len(paths),
    }
    labels = [numbers[annotated[path]] for path in paths]
    return ImageFiles(images, paths, labels, tuple(numbers)), skipped


def _lines(folder: str, part: str) -> list[str]:
    """Returns the nonempty lines of a file."""
    try:
        with open(os.path.join(folder, part), encoding="utf-8-sig") as file:
            return [line.strip() for line in file.read().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{part} cannot be read: {error}; unpack the archive again") from error
