"""The teacher of a training: which classes it names, and what it sees in all images, kept."""

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
from data.input.batches import validation_batches
from data.input.distribution_cache import DistributionCache
from data.input.extra_target import ExtraTarget
from jobs.train.dataset import TrainingData
from models.teacher import Teacher

# Images that the teacher sees at once.
_BATCH = 32


def make_teacher(settings: Settings, lists: ImageLists) -> Teacher | None:
    """The teacher that the settings ask for, or None where no class distribution is learned.

    Where all images have labels of the same classes, and these are classes of ImageNet, the
    distribution is over them; else over ImageNet's 1000.

    Raises:
        InputError: it cannot be had.
    """
    if settings.model != "chromagan" or not settings.class_weight:
        return None
    numbers = _class_numbers(lists, settings.class_index)
    return Teacher(settings.teacher, settings.teacher_weights, numbers)


def _class_numbers(lists: ImageLists, class_index: str | None) -> np.ndarray | None:
    spaces = {each.training.classes for each in lists.sets}
    if len(spaces) > 1 or None in spaces:
        return None
    try:
        numbers = imagenet_numbers(spaces.pop(), class_index)
    except NotImageNetError:
        if class_index:
            raise
        return None
    # All of them need no choice, whatever their order.
    return None if len(numbers) == CLASSES else numbers


def describe_teacher(settings: Settings, teacher: Teacher) -> str:
    """One line for the person who trains."""
    which = f"{teacher.classes} classes"
    if teacher.classes < 1000:
        which += " of ImageNet's 1000, those of the dataset"
    weights = settings.teacher_weights or "imagenet"
    return f"teacher {settings.teacher} with the weights {weights}: {which}"


def cache_distributions(teacher: Teacher, data: TrainingData, settings: Settings) -> ExtraTarget:
    """What the teacher sees in every training image, from the cache, which is filled first.

    It sees the central square of each, as large as it was trained to see images, and not the
    crop that is trained on.

    Raises:
        InputError: the cache cannot be written.
    """
    cache = DistributionCache(
        settings.teacher_cache,
        _names_from_anywhere(data.lists.training),
        teacher.classes,
        _identity(settings, teacher),
    )
    missing = cache.missing()
    if missing:
        _ask(teacher, data, settings, cache, missing)
    return ExtraTarget(cache.get, "float32", (teacher.classes,))


def _ask(
    teacher: Teacher,
    data: TrainingData,
    settings: Settings,
    cache: DistributionCache,
    missing: list[int],
) -> None:
    side = _side(settings, teacher)
    loader = data.loader_of(ImageSubset(data.lists.training, missing), side)
    numbers = ExtraTarget(lambda number: missing[number], "int64", ())
    see = tf.function(teacher, reduce_retracing=True)
    batches = validation_batches(loader, side, _BATCH, numbers)
    with tqdm(
        desc="teacher", total=len(missing), unit="image", dynamic_ncols=True, disable=None
    ) as bar:
        try:
            for lightness, _, batch in batches:
                for number, row in zip(batch.numpy(), see(lightness).numpy(), strict=True):
                    cache.put(int(number), row)
                bar.update(len(batch))
        finally:
            # Broken off, it goes on from here.
            cache.flush()


def _side(settings: Settings, teacher: Teacher) -> int:
    """The side of the images that the teacher is shown: no detail that it could see is lost."""
    return max(settings.resolution, teacher.side)


def _names_from_anywhere(source: ImageSource) -> Iterator[str]:
    """What the images are called wherever the program is called from, and which state they are.

    An image that is changed under its name is another one.
    """
    # One file may hold all images.
    state = functools.lru_cache(maxsize=64)(_state)
    for number in range(len(source)):
        name, file = source.name(number), source.file(number)
        yield os.path.abspath(file) + name.removeprefix(file) + state(file)


def _state(file: str) -> str:
    try:
        found = os.stat(file)
    except OSError:
        # It is left out when it is met.
        return " absent"
    return f" {found.st_size} {found.st_mtime_ns}"


def _identity(settings: Settings, teacher: Teacher) -> str:
    """What makes one teacher's distributions another's: network, weights, classes, size."""
    weights = "imagenet"
    if settings.teacher_weights:
        path = os.path.realpath(settings.teacher_weights)
        weights = path + _state(path)
    return f"{settings.teacher}\n{weights}\n{_side(settings, teacher)}\n{teacher.class_numbers}"
