"""ImageNet's 1000 classes by WordNet id, in the orders that networks and datasets number them.

Networks of `keras.applications` number them as `imagenet_class_index.json` does, which is by id.
The downsampled ImageNet has an order of its own.
"""

import importlib.util
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data.keras_cache import in_keras_cache
from errors import InputError, first_line

CLASSES = 1000
_INDEX = "imagenet_class_index.json"

# Lists that TensorFlow Datasets installs: of full ImageNet, and of the downsampled one.
_FULL_IMAGENET = "datasets/imagenet2012/labels.txt"
_DOWNSAMPLED_IMAGENET = "image_classification/imagenet_resized_labels.txt"


class NotImageNetError(InputError):
    """Some classes are none of ImageNet's."""


def imagenet_numbers(
    wordnet_ids: Sequence[str], class_index: str | os.PathLike | None = None
) -> np.ndarray:
    """The number that networks for ImageNet give to each of these classes.

    Args:
        wordnet_ids: `n01443537` and such.
        class_index: a file like `imagenet_class_index.json`. By default the one in Keras' cache,
            where Keras has downloaded it, else the list of TensorFlow Datasets.

    Returns:
        int64 array of shape (classes,), from 0 to 999.

    Raises:
        NotImageNetError: some class is none of ImageNet's 1000.
        InputError: the file cannot be read.
    """
    order = {wordnet_id: number for number, wordnet_id in enumerate(_keras_ids(class_index))}
    unknown = [wordnet_id for wordnet_id in wordnet_ids if wordnet_id not in order]
    if unknown:
        raise NotImageNetError(
            f"{len(unknown)} of {len(wordnet_ids)} classes are none of ImageNet's {CLASSES}, "
            f"{unknown[0]} for one; give a dataset whose classes are WordNet ids of ImageNet"
        )
    return np.array([order[wordnet_id] for wordnet_id in wordnet_ids], "int64")


def downsampled_imagenet_ids() -> tuple[str, ...]:
    """The WordNet ids of the downsampled ImageNet's labels 1 to 1000, in that order."""
    return _list_of_tfds(_DOWNSAMPLED_IMAGENET)


def _keras_ids(class_index: str | os.PathLike | None) -> tuple[str, ...]:
    if class_index is not None:
        return _read_index(Path(class_index), f"--class_index {class_index}: ", "give")
    cached = in_keras_cache(_INDEX)
    if not cached.exists():
        return _list_of_tfds(_FULL_IMAGENET)
    return _read_index(cached, f"{cached} in Keras' cache: ", "remove it, or give --class_index")


def _read_index(path: Path, what: str, remedy: str) -> tuple[str, ...]:
    remedy = f"; {remedy} a file like Keras' {_INDEX}"
    try:
        index = json.loads(path.read_text("utf-8"))
        ids = tuple(str(index[str(number)][0]) for number in range(CLASSES))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(what + first_line(error) + remedy) from error
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise InputError(
            f'{what}it is not of the form {{"0": ["n01440764", "tench"], ...}} with {CLASSES} '
            f"classes{remedy}"
        ) from error
    if len(set(ids)) < CLASSES:
        raise InputError(f"{what}a class stands there twice{remedy}")
    return ids


def _list_of_tfds(name: str) -> tuple[str, ...]:
    # Found without importing the package, which takes its time.
    [folder] = importlib.util.find_spec("tensorflow_datasets").submodule_search_locations
    path = Path(folder, name)
    try:
        return tuple(path.read_text("utf-8").split())
    except OSError as error:
        raise InputError(
            f"{path}, the list of ImageNet's classes, cannot be read: {error.strerror}; install "
            "tensorflow-datasets again"
        ) from error
