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
from data.datasets.folder import list_folder
from data.datasets.image_files import ImageFiles
from errors import InputError, shown

_TRAINING = "train"
_VALIDATION = os.path.join("val", "images")
_TEST = os.path.join("test", "images")
_ANNOTATIONS = os.path.join("val", "val_annotations.txt")
_IDS = "wnids.txt"
_WORDS = "words.txt"


def tiny_imagenet_set(name: str, folder: str) -> Dataset:
    """Finds the images of Tiny ImageNet, with classes named and sorted by WordNet id.

    Args:
        name: str, the dataset's name in the table and in error messages.
        folder: str, the folder that contains `train` and `val`.

    Returns:
        `Dataset`.

    Raises:
        InputError: if part of the layout is missing, or labels do not match the classes.
    """
    for part in (_TRAINING, _VALIDATION, _ANNOTATIONS, _IDS, _WORDS):
        exists = os.path.isdir if part in (_TRAINING, _VALIDATION) else os.path.exists
        if not exists(os.path.join(folder, part)):
            raise InputError(f"{name}: {_what_is_missing(folder, part)}")
    classes = tuple(sorted(set(_lines(name, folder, _IDS))))
    training = _training_images(name, folder, classes)
    validation, skipped = _validation_images(name, folder, classes)
    rows = (line.partition("\t") for line in _lines(name, folder, _WORDS))
    known = set(classes)
    words = {wordnet_id: words.strip() for wordnet_id, _, words in rows if wordnet_id in known}
    test = os.path.join(folder, _TEST)
    if os.path.isdir(test):
        skipped["test images without labels"] = len(list_folder(name, test))
    return Dataset(name, training, validation, skipped, words)


def _what_is_missing(folder: str, part: str) -> str:
    if not os.path.isdir(folder):
        return (
            f"{folder} is not a folder{names_like(folder)}; give the one that contains {_TRAINING}"
        )
    return (
        f"{part} is not in {folder}; give the folder that contains {_TRAINING}, val, {_IDS} and "
        f"{_WORDS}, as in the published archive"
    )


def _training_images(name: str, folder: str, classes: tuple[str, ...]) -> ImageFiles:
    numbers = {wordnet_id: number for number, wordnet_id in enumerate(classes)}
    paths = list_folder(name, os.path.join(folder, _TRAINING))
    labels = []
    for path in paths:
        wordnet_id = path.split(os.sep, 1)[0]
        if wordnet_id not in numbers:
            raise InputError(
                f"{name}: labels do not match: {_TRAINING}/{shown(path)} is of a class "
                f"that is not in {_IDS}; unpack the archive again"
            )
        labels.append(numbers[wordnet_id])
    for number in set(range(len(classes))).difference(labels):
        raise InputError(
            f"{name}: {_TRAINING}/{classes[number]}, a class of {_IDS}, has no image; "
            "unpack the archive again"
        )
    return ImageFiles(os.path.join(folder, _TRAINING), paths, labels, classes)


def _validation_images(
    name: str, folder: str, classes: tuple[str, ...]
) -> tuple[ImageFiles, dict[str, int]]:
    numbers = {wordnet_id: number for number, wordnet_id in enumerate(classes)}
    annotated = {}
    for line in _lines(name, folder, _ANNOTATIONS):
        image, wordnet_id, *_ = [*line.split("\t"), ""]
        if wordnet_id not in numbers:
            raise InputError(
                f"{name}: labels do not match: {_ANNOTATIONS} says that "
                f"{image} is {wordnet_id or 'nothing'}, which is not in {_IDS}; unpack the "
                "archive again"
            )
        if annotated.setdefault(image, numbers[wordnet_id]) != numbers[wordnet_id]:
            raise InputError(
                f"{name}: labels do not match: {_ANNOTATIONS} says that {image} is "
                f"{classes[annotated[image]]} and {wordnet_id}; unpack the archive again"
            )
    images = os.path.join(folder, _VALIDATION)
    present = list_folder(name, images)
    paths = [path for path in present if path in annotated]
    skipped = {
        "annotated, but missing": len(annotated) - len(paths),
        "not annotated": len(present) - len(paths),
    }
    labels = [annotated[path] for path in paths]
    return ImageFiles(images, paths, labels, classes), skipped


def _lines(name: str, folder: str, part: str) -> list[str]:
    """Returns the nonempty lines of a file."""
    try:
        with open(os.path.join(folder, part), encoding="utf-8-sig") as file:
            return [line.strip() for line in file.read().splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{name}: {part} cannot be read: {error}; unpack the archive again"
        ) from error
