"""How images become batches: decode, crop, flip, Lab, batch.

    lists = find_images(["my_photographs"])
    loader = ImageLoader(lists.training, crop_source_side(128, crop_scale=0.5), skipped)
    batches = training_batches(loader, resolution=128, batch_size=16, seed=1)
    lightness, ab = next(iter(batches))      # (16, 128, 128, 1) and (16, 128, 128, 2), float32

Files are read by `data.image_io` in parallel Python calls, because only there can one broken file
be left out and named while the others go on; Pillow decodes outside Python's lock. Everything
after that is in the graph.

The stream of training images never ends, and element number i of it is a function of the seed
and i alone: the same in every run, different in every epoch, and a run that goes on from step n
starts the stream at element n x batch_size.
"""

import functools
import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import tensorflow as tf
from PIL import Image

from data.color.gamut import strengthen
from data.color.lab import (
    lab100_to_lab1,
    rgb1_to_lab100,
    rgb255_to_lab1,
    rgb255_to_rgb1,
    split_lab,
)
from data.input.augmentation import central_square, random_square, rotate
from data.input.extra_target import ExtraTarget
from data.input.image_loader import ImageLoader
from data.input.input_shard import InputShard
from data.input.skipped_images import OTHER_SHAPE

# As many images are worked on at once, and as many batches wait. They are fixed: the thread that
# tunes them sleeps longer and longer, up to a minute, and an iterator is gone only when it wakes,
# so that trainings stood still behind a validation (TensorFlow 2.21).
_WORKERS = os.cpu_count() or 1
_WAITING = 2

# In place of an image that is left out another one is drawn. When at least half of them are good,
# this many draws in vain do not happen; they say that hardly any training image is.
_DRAWS = 100

# In place of an image that is left out.
_NO_PIXELS = np.zeros([0, 0, 3], "uint8")

# Programs that color round sizes to what their networks can halve: images whose proportions
# differ by this share still show the same.
_SAME_SHAPE = 0.02


def training_batches(
    loader: ImageLoader,
    resolution: int,
    batch_size: int,
    seed: int,
    crop_scale: float = 0.5,
    flip: bool = True,
    rotation: float = 0.0,
    saturation: float = 1.0,
    start: int = 0,
    extra_target: ExtraTarget | None = None,
    shard: InputShard | None = None,
) -> tf.data.Dataset:
    """An endless, shuffled, augmented stream of batches.

    Every epoch shows each image once, in a new order, with a new crop, flip and rotation. In
    place of an image that is left out comes another one, so that no step is lost.

    Args:
        loader: where the pixels come from.
        resolution: int, the side of the square crops.
        batch_size: int.
        seed: int, of the order and the augmentation.
        crop_scale: float in (0, 1], the smallest share that a random square crop takes of the
            area of the image's largest square.
        flip: bool, mirror half of the images left to right.
        rotation: float, the largest angle in degrees, both ways; borders are reflected.
        saturation: float, factor of a and b, as far as sRGB can show the colors:
            `data.color.gamut.strengthen`.
        start: int, how many elements of the stream to pass over.
        extra_target: `ExtraTarget` or None, what each image brings along: `loader.labels`.
        shard: `InputShard` or None. With one, of each batch the rows of one worker alone, in a
            batch for each of its replicas; other images are not read.

    Returns:
        `tf.data.Dataset` of (lightness, ab), float32 in the range of networks, of shapes
        (batch_size, resolution, resolution, 1) and (batch_size, resolution, resolution, 2); or of
        (lightness, ab, extra_target), of shape (batch_size, ...). With a shard it is the part of a
        replica and not `batch_size`.
    """
    shard = shard or InputShard()
    part = batch_size // shard.replicas

    def load(position):
        read = functools.partial(_load_for_training, loader, seed, extra_target)
        image, other = _call(read, position, extra_target)
        return position, image, other

    def augment(position, image, other):
        # One number for each random choice, all from the seed and the position in the stream.
        chance = tf.random.stateless_uniform(
            [5], seed=tf.stack([tf.cast(seed, tf.int64), position])
        )
        if rotation:
            image = rotate(image, (2.0 * chance[4] - 1.0) * rotation)
        image = random_square(image, resolution, crop_scale, chance)
        if flip:
            image = tf.where(chance[3] < 0.5, image[:, ::-1], image)
        return image, other

    stream = _own_positions(start, batch_size, shard)
    stream = stream.map(load, num_parallel_calls=_WORKERS)
    stream = stream.map(augment, num_parallel_calls=_WORKERS)
    return _to_lab_batches(stream.batch(part, drop_remainder=True), extra_target, saturation)


def _own_positions(start: int, batch_size: int, shard: InputShard) -> tf.data.Dataset:
    """The elements of the stream that a worker reads: of each batch rows of its own."""
    positions = tf.data.Dataset.range(start, tf.int64.max)
    if shard.workers == 1:
        return positions
    rows = batch_size // shard.workers
    batches = positions.batch(batch_size, drop_remainder=True)
    return batches.map(lambda batch: batch[shard.worker * rows :][:rows]).unbatch()


def training_images(loader: ImageLoader, seed: int, positions: Iterable[int]) -> list[str]:
    """The files of elements of the stream of training images.

    Args:
        loader, seed: as given to `training_batches`.
        positions: numbers of elements.

    Returns:
        Their names, as the source calls them; in place of one that was left out, that which came.
    """
    names = []
    for position in positions:
        for number in _turns(loader, seed, position):
            if loader.load(number) is not None:
                names.append(loader.source.name(number))
                break
    return names


def validation_batches(
    loader: ImageLoader,
    resolution: int,
    batch_size: int,
    extra_target: ExtraTarget | None = None,
    shard: InputShard | None = None,
) -> tf.data.Dataset:
    """The central squares of all images, once, in order; the last batch may be smaller.

    Args:
        loader: where the pixels come from.
        resolution: int, the side of the squares.
        batch_size: int.
        extra_target: as in `training_batches`.
        shard: `InputShard` or None. With one, the images of one worker alone, in batches for one
            replica each.

    Returns:
        `tf.data.Dataset` of (lightness, ab) or (lightness, ab, extra_target) as from
        `training_batches`.
    """

    shard = shard or InputShard()
    part = math.ceil(batch_size / shard.replicas)

    def load(number):
        return _call(functools.partial(_load_or_empty, loader, extra_target), number, extra_target)

    images = tf.data.Dataset.range(len(loader)).shard(shard.workers, shard.worker)
    images = images.map(load, num_parallel_calls=_WORKERS)
    images = images.filter(lambda image, other: tf.size(image) > 0)
    images = images.map(
        lambda image, other: (central_square(image, resolution), other),
        num_parallel_calls=_WORKERS,
    )
    return _to_lab_batches(images.batch(part), extra_target)


def comparison_batches(
    loaders: Sequence[ImageLoader], resolution: int, batch_size: int
) -> tf.data.Dataset:
    """The central squares of the same images as several loaders have them, once, in order.

    An image that one loader leaves out is given by none, and so is one that has another shape in
    one loader than in the first.

    Args:
        loaders: of sources of one length, whose images of one number belong together.
        resolution: int, the side of the squares.
        batch_size: int; the last batch may be smaller.

    Returns:
        `tf.data.Dataset` of (number, short_side, rgb255): int64 of shape (batch,); int32 of shape
        (batch,), the shorter side of the image as the first loader has it; and uint8 of shape
        (batch, loaders, resolution, resolution, 3).
    """

    def load(number):
        read = functools.partial(_load_same, loaders)
        images = tf.numpy_function(read, [number], [tf.uint8] * len(loaders))
        # In a tuple: of a list `tf.data` would make one tensor.
        return number, tuple(tf.ensure_shape(image, [None, None, 3]) for image in images)

    def square(number, images):
        squares = tf.stack([central_square(image, resolution) for image in images])
        short_side = tf.reduce_min(tf.shape(images[0])[:2])
        rgb255 = tf.cast(tf.round(tf.clip_by_value(squares, 0.0, 255.0)), tf.uint8)
        return number, short_side, rgb255

    stream = tf.data.Dataset.range(len(loaders[0]))
    stream = stream.map(load, num_parallel_calls=_WORKERS)
    stream = stream.filter(lambda number, images: tf.size(images[0]) > 0)
    stream = stream.map(square, num_parallel_calls=_WORKERS)
    return _ahead(stream.batch(batch_size))


@functools.lru_cache(maxsize=2)
def _order(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of one epoch. Two are kept: parallel calls reach into the next epoch."""
    return np.random.default_rng([seed, epoch]).permutation(count)


# In place of an extra target where there is none.
_NOTHING = ExtraTarget(lambda number: 0, "int64", ())


def _call(
    read: Callable, number: tf.Tensor, extra_target: ExtraTarget | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads an image and its extra target in Python."""
    extra_target = extra_target or _NOTHING
    image, other = tf.numpy_function(read, [number], (tf.uint8, extra_target.dtype))
    return tf.ensure_shape(image, [None, None, 3]), tf.ensure_shape(other, extra_target.shape)


def _load_for_training(
    loader: ImageLoader, seed: int, extra_target: ExtraTarget | None, position: int
) -> tuple[np.ndarray, np.ndarray]:
    for number in _turns(loader, seed, int(position)):
        image, other = _load_or_empty(loader, extra_target, number)
        if image.size:
            return image, other
    return loader.skipped.fail("hardly any training image can be used")


def _turns(loader: ImageLoader, seed: int, position: int) -> Iterator[int]:
    """The image whose turn it is, and others in case that it is left out."""
    epoch, place = divmod(position, len(loader))
    yield _order(len(loader), seed, epoch)[place]
    yield from np.random.default_rng([seed, position]).integers(len(loader), size=_DRAWS)


def _load_or_empty(
    loader: ImageLoader, extra_target: ExtraTarget | None, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """An image and its extra target, or no pixels when it is left out."""
    number = int(number)
    extra_target = extra_target or _NOTHING
    image = loader.load(number)
    # Not for nothing: some sources read a record for a label.
    other = extra_target.read(number) if image is not None else None
    if other is None:
        return _NO_PIXELS, np.zeros(extra_target.shape, extra_target.dtype)
    return image, np.asarray(other, extra_target.dtype)


def _load_same(loaders: Sequence[ImageLoader], number: int) -> list[np.ndarray]:
    """An image as each loader has it, or no pixels when it cannot be compared."""
    number = int(number)
    images = []
    for loader in loaders:
        image = loader.load(number)
        if image is not None and images and not _has_shape_of(images[0], image):
            name, file = loader.source.name(number), loader.source.file(number)
            received, wanted = (each.shape[1] / each.shape[0] for each in (image, images[0]))
            loader.skipped.add(
                name, f"{OTHER_SHAPE}: width / height {received:.3f} and not {wanted:.3f}", file
            )
            image = None
        if image is None:
            return [_NO_PIXELS] * len(loaders)
        images.append(_in_shape_of(images[0], image) if images else image)
    return images


def _in_shape_of(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The other image at the size of the one: squares of both then show the same."""
    if other.shape == one.shape:
        return other
    resized = Image.fromarray(other).resize(one.shape[1::-1], Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _has_shape_of(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two images have the same proportions, but for rounding to whole pixels."""
    ratio = (one.shape[0] * other.shape[1]) / (one.shape[1] * other.shape[0])
    rounding = 1.0 / min(*one.shape[:2], *other.shape[:2])
    return abs(math.log(ratio)) <= _SAME_SHAPE + rounding


def _to_lab_batches(
    batches: tf.data.Dataset, extra_target: ExtraTarget | None, saturation: float = 1.0
) -> tf.data.Dataset:
    # A whole batch is converted at once, and compiled by XLA, which makes one loop of the many
    # operations: 2.5 times as fast.
    def networks_see(rgb255):
        if saturation == 1.0:
            return split_lab(rgb255_to_lab1(rgb255))
        lab100 = rgb1_to_lab100(rgb255_to_rgb1(rgb255))
        return split_lab(lab100_to_lab1(strengthen(lab100, saturation)))

    to_lab = tf.function(networks_see, jit_compile=True)

    def convert(rgb255, others):
        return (*to_lab(rgb255), others) if extra_target else to_lab(rgb255)

    return _ahead(batches.map(convert, num_parallel_calls=_WORKERS))


def _ahead(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The batches, made while the ones before are in use."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(_WAITING).with_options(options)
