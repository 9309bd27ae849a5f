"""The official downsampled ImageNet, 64 x 64: 1.28 million images in pickled or .npz batches.

    train_data_batch_1 ... train_data_batch_10, val_data        (each with or without .npz)

Each file is a dictionary with `data`, N x 12288 uint8 (the red, green and blue planes), and
`labels`, which start at 1. Images are read directly from their position in these files.

Reference: Chrabaszcz, Loshchilov, Hutter, "A Downsampled Variant of ImageNet as an Alternative to
the CIFAR datasets", 2017 (arXiv 1707.08819). https://image-net.org/download-images
"""

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.datasets.concatenated_images import ConcatenatedImages
from data.datasets.dataset import Dataset
from data.datasets.dataset_name import names_like
from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_source import ImageSource
from data.datasets.imagenet_classes import downsampled_imagenet_ids
from data.datasets.stored_rows import StoredRows, find_batch
from data.image_io import UnreadableImageError, shrink_rgb
from errors import InputError

_SIDE = 64
_ROW = 3 * _SIDE * _SIDE
_BATCHES = 10
_VALIDATION = "val_data"
_BATCH = re.compile(r"(train_data_batch_([1-9]\d*)|val_data)(\.npz)?")


def imagenet64_set(name: str, folder: str, _: DatasetOptions | None = None) -> Dataset:
    """Finds the images of the batches below a folder, with classes named by WordNet id.

    Args:
        name: str, the dataset's name in the table.
        folder: str, the path of the folder. Subfolders are searched too, because each published
            archive is unpacked to its own.

    Returns:
        `Dataset`.

    Raises:
        InputError: if batches are missing or damaged, or labels do not match the images.
    """
    files = _batch_files(folder)
    numbers = sorted(number for number in files if number)
    expected = range(1, max(numbers, default=1) + 1)
    missing = [f"train_data_batch_{number}" for number in expected if number not in numbers]
    missing += [] if 0 in files else [_VALIDATION]
    if missing:
        raise InputError(
            f"{folder} lacks {', '.join(missing)}; give the folder that contains "
            f"train_data_batch_1 to {_BATCHES} and {_VALIDATION}"
        )
    classes = downsampled_imagenet_ids()
    training = ConcatenatedImages([_batch(files[number], classes) for number in numbers])
    shown = name if len(numbers) == _BATCHES else f"{name} ({len(numbers)} of {_BATCHES} batches)"
    return Dataset(shown, training, _batch(files[0], classes))


class BatchImages(ImageSource):
    """Reads the images of one batch.

    Args:
        rows: `StoredRows` of 12288 bytes each, the three planes of an image.
        labels: sequence of int, indices into `classes`.
        path: str, the path of the file.
        classes: tuple of str, the names of the classes.
    """

    def __init__(
        self, rows: StoredRows, labels: Sequence[int], path: str, classes: tuple[str, ...]
    ):
        super().__init__(classes)
        self._rows = rows
        self._labels = np.asarray(labels, "int16")
        self._path = path

    def __len__(self) -> int:
        return len(self._labels)

    def name(self, number: int) -> str:
        return f"{self._path}#{number}"

    def file(self, number: int) -> str:
        return self._path

    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        try:
            planes = self._rows[number]
        except OSError as error:
            raise UnreadableImageError(str(error)) from error
        pixels = np.moveaxis(planes.reshape(3, _SIDE, _SIDE), 0, -1)
        return shrink_rgb(np.ascontiguousarray(pixels), short_side)

    def label(self, number: int) -> int:
        return int(self._labels[number])


def _batch_files(folder: str) -> dict[int, str]:
    """Returns the paths of the batches by number; number 0 is the validation batch."""
    if not os.path.isdir(folder):
        raise InputError(
            f"{folder} is not a folder{names_like(folder)}; give the one that contains the batches"
        )
    files = {}
    for parent, _, names in os.walk(folder, followlinks=True):
        for file in sorted(names, reverse=True):
            # If both forms of a batch exist, the pickled one comes last and is used.
            if found := _BATCH.fullmatch(file):
                files[int(found[2] or 0)] = os.path.join(parent, file)
    return files


def _batch(path: str, classes: tuple[str, ...]) -> BatchImages:
    rows, labels = find_batch(path)
    if rows.shape[1] != _ROW:
        raise InputError(
            f"{path}: `data` should be N x {_ROW} bytes (64 x 64 in color); received "
            f"{rows.shape[1]} columns; download the 64 x 64 batches"
        )
    if isinstance(labels, list) and all(type(label) is int for label in labels):
        labels = np.array(labels)
    if not _are_labels(labels, rows.shape[0], len(classes)):
        raise InputError(
            f"{path}: labels do not match: `labels` should be {rows.shape[0]} numbers from "
            f"1 to {len(classes)}; download it again"
        )
    return BatchImages(rows, labels - 1, path, classes)


def _are_labels(labels: Any, count: int, classes: int) -> bool:
    is_numbers = isinstance(labels, np.ndarray) and labels.dtype.kind in "iu"
    return is_numbers and labels.shape == (count,) and 1 <= labels.min() <= labels.max() <= classes
