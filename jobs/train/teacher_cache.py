"""The teacher of a training: its classes, and a cache of its class distributions."""

import functools
import os
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from config.settings import Settings
from data.datasets.image_lists import ImageLists
from data.datasets.image_source import ImageSource
from data.datasets.image_subset import ImageSubset
from data.datasets.imagenet_classes import CLASSES, NotImageNetError, imagenet_numbers
from data.image_io import READER_VERSION
from data.input.batches import validation_batches
from data.input.distribution_cache import DistributionCache
from data.input.extra_target import ExtraTarget
from jobs.common.error_translation import about_option
from jobs.train.dataset import TrainingData
from models.teacher import Teacher, find_application

# Images per batch of the teacher.
_BATCH = 32


def make_teacher(settings: Settings, lists: ImageLists) -> Teacher | None:
    """Builds the teacher of the settings, or returns None if no class distribution is trained on.

    If all images have labels of the same ImageNet classes, the distribution is over these classes,
    else over ImageNet's 1000.

    Args:
        settings: `Settings`.
        lists: `ImageLists`, the images of the training.

    Raises:
        InputError: the teacher or its weights are not available.
    """
    if settings.model != "chromagan" or not settings.class_weight:
        return None
    with about_option("class_index"):
        numbers = _class_numbers(lists, settings.class_index)
    with about_option("teacher"):
        find_application(settings.teacher)
    with about_option("teacher_weights"):
        return Teacher(settings.teacher, settings.teacher_weights, numbers)


def _class_numbers(lists: ImageLists, class_index: str | None) -> np.ndarray | None:
    class_sets = {dataset.training.classes for dataset in lists.sets}
    classes = class_sets.pop()
    if class_sets or classes is None:
        return None
    try:
        numbers = imagenet_numbers(classes, class_index)
    except NotImageNetError:
        if class_index:
            raise
        return None
    # A dataset with all 1000 classes needs no selection, whatever their order.
    return None if len(numbers) == CLASSES else numbers


def describe_teacher(settings: Settings, teacher: Teacher) -> str:
    """One line about the teacher, its weights and its classes."""
    which = f"{teacher.classes} classes"
    if teacher.classes < 1000:
        which += " of ImageNet's 1000, those of the dataset"
    weights = settings.teacher_weights or "imagenet"
    return f"teacher {settings.teacher} with the weights {weights}: {which}"


def cache_distributions(teacher: Teacher, data: TrainingData, settings: Settings) -> ExtraTarget:
    """The class distributions of all training images, from a cache that is filled first.

    The teacher receives the central square of each image, at least as large as the images that it
    was trained on, and not the random crop that the colorizer is trained on.

    Args:
        teacher: `Teacher`.
        data: `TrainingData`.
        settings: `Settings`, with the path of the cache.

    Returns:
        `ExtraTarget` of float32 distributions of shape (classes,).

    Raises:
        InputError: the cache cannot be written.
    """
    assert settings.teacher_cache is not None
    with about_option("teacher_cache"):
        cache = DistributionCache(
            settings.teacher_cache,
            _cache_keys(data.lists.training),
            teacher.classes,
            _identity(settings, teacher),
        )
    missing = cache.missing()
    if missing:
        _fill(teacher, data, settings, cache, missing)
    return ExtraTarget(cache.get, "float32", (teacher.classes,))


def _fill(
    teacher: Teacher,
    data: TrainingData,
    settings: Settings,
    cache: DistributionCache,
    missing: list[int],
) -> None:
    side = _side(settings, teacher)
    loader = data.loader_of(ImageSubset(data.lists.training, missing), side)
    numbers = ExtraTarget(lambda number: missing[number], "int64", ())
    predict = tf.function(teacher, reduce_retracing=True)
    batches = validation_batches(loader, side, _BATCH, numbers)
    with tqdm(
        desc="teacher", total=len(missing), unit="image", dynamic_ncols=True, disable=None
    ) as bar:
        try:
            for lightness, _, batch in batches:
                for number, row in zip(batch.numpy(), predict(lightness).numpy(), strict=True):
                    cache.put(int(number), row)
                bar.update(len(batch))
        finally:
            # An interrupted run continues from here.
            cache.flush()


def _side(settings: Settings, teacher: Teacher) -> int:
    """The side of the images for the teacher, large enough to keep all detail that it can use."""
    return max(settings.resolution, teacher.side)


def _cache_keys(source: ImageSource) -> Iterator[str]:
    """Yields the absolute name of each image with the size and modification time of its file.

    A changed file is thus a new image, and the working directory does not matter.
    """
    # Cached, because one file may hold all images.
    state = functools.lru_cache(maxsize=64)(_state)
    for number in range(len(source)):
        name, file = source.name(number), source.file(number)
        yield os.path.abspath(file) + name.removeprefix(file) + state(file)


def _state(file: str) -> str:
    try:
        status = os.stat(file)
    except OSError:
        # The image is skipped when it is loaded.
        return " absent"
    return f" {status.st_size} {status.st_mtime_ns}"


def _identity(settings: Settings, teacher: Teacher) -> str:
    """All that determines the distributions: network, weights, image size, classes and reader."""
    weights = "imagenet"
    if settings.teacher_weights:
        path = os.path.realpath(settings.teacher_weights)
        weights = path + _state(path)
    return (
        f"{settings.teacher}\n{weights}\n{_side(settings, teacher)}\n{teacher.class_numbers}\n"
        f"reader {READER_VERSION}"
    )
