"""The 1000 ImageNet classes by WordNet id, in the orders used by networks and datasets.

Networks of `keras.applications` use the order of `imagenet_class_index.json`, which is sorted by
id. The downsampled ImageNet uses a different order.
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

# Class lists that ship with TensorFlow Datasets.
_FULL_IMAGENET = "datasets/imagenet2012/labels.txt"
_DOWNSAMPLED_IMAGENET = "image_classification/imagenet_resized_labels.txt"


class NotImageNetError(InputError):
    """Raised if some classes are not ImageNet classes."""


def imagenet_numbers(
    wordnet_ids: Sequence[str], class_index: str | os.PathLike | None = None
) -> np.ndarray:
    """Returns the indices of classes in the output of ImageNet networks.

    Args:
        wordnet_ids: sequence of str, WordNet ids such as `n01443537`.
        class_index: path or None, a file in the format of `imagenet_class_index.json`. Defaults to
            `None`: the file in Keras' cache if Keras has downloaded it, otherwise the list of
            TensorFlow Datasets.

    Returns:
        int64 array of shape (classes,), with values from 0 to 999.

    Raises:
        NotImageNetError: if a class is not among the 1000 ImageNet classes.
        InputError: if the file cannot be read.

    Example:
        imagenet_numbers(["n01440764", "n01443537"])        # [0, 1]: tench, goldfish
    """
    order = {wordnet_id: number for number, wordnet_id in enumerate(_keras_ids(class_index))}
    unknown = [wordnet_id for wordnet_id in wordnet_ids if wordnet_id not in order]
    if unknown:
        raise NotImageNetError(
            f"{len(unknown)} of {len(wordnet_ids)} classes are not among the {CLASSES} ImageNet "
            f"classes, for example {unknown[0]}; give a dataset whose classes are ImageNet's "
            "WordNet ids"
        )
    return np.array([order[wordnet_id] for wordnet_id in wordnet_ids], "int64")


def downsampled_imagenet_ids() -> tuple[str, ...]:
    """Returns the WordNet ids of labels 1 to 1000 of the downsampled ImageNet, in that order."""
    return _list_of_tfds(_DOWNSAMPLED_IMAGENET)


def _keras_ids(class_index: str | os.PathLike | None) -> tuple[str, ...]:
    cached = in_keras_cache(_INDEX)
    if class_index is not None:
        return _read_index(Path(class_index), "give")
    return (
        _read_index(cached, "remove it, or give")
        if cached.exists()
        else _list_of_tfds(_FULL_IMAGENET)
    )


def _read_index(path: Path, remedy: str) -> tuple[str, ...]:
    try:
        index = json.loads(path.read_text("utf-8"))
        ids = tuple(str(index[str(number)][0]) for number in range(CLASSES))
        if len(set(ids)) < CLASSES:
            raise ValueError("it lists a class twice")
        return ids
    except (
        AttributeError,
        IndexError,
        KeyError,
        OSError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(
            f'{path} is not of the form {{"0": ["n01440764", "tench"], ...}} with {CLASSES} '
            f"classes: {first_line(error)}; {remedy} a file like Keras' {_INDEX}"
        ) from error


def _list_of_tfds(name: str) -> tuple[str, ...]:
    # Importing the package would be slow.
    spec = importlib.util.find_spec("tensorflow_datasets")
    # requirements.txt lists the package.
    assert spec is not None
    assert spec.submodule_search_locations is not None
    [folder] = spec.submodule_search_locations
    return tuple(Path(folder, name).read_text("utf-8").split())
