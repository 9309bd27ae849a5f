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
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from PIL import Image

from data.color.colorfulness import colorfulness
from data.color.gamut import strengthen
from data.color.lab import (
    lab100_to_lab1,
    rgb1_to_lab100,
    rgb255_to_lab1,
    rgb255_to_rgb1,
    split_lab,
)
from data.datasets.image_source import ImageSource
from data.image_io import UnreadableImageError
from data.input.cache import DiskCache, MemoryCache
from data.input.skipped_images import NO_COLOR, OTHER_SHAPE, SkippedImages
from errors import InputError

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


@dataclass(frozen=True)
class ExtraTarget:
    """What goes with every image into a batch.

    Attributes:
        read: gives it by the number of the image, or None when the image is left out for it.
        dtype: str.
        shape: of one.
    """

    read: Callable[[int], np.ndarray | int | None]
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class InputShard:
    """Which part of each batch one of several workers learns from.

    Attributes:
        worker: int, its number, from 0.
        workers: int, how many there are.
        replicas: int, of the model on all of them together; the batch is divided among these.
    """

    worker: int = 0
    workers: int = 1
    replicas: int = 1


class ImageLoader:
    """Loads the images of a source as pixels, leaving out what is no use.

    Args:
        source: `ImageSource`.
        short_side: int, the shorter side of a loaded image; a smaller one is not enlarged. None
            loads images as they are.
        skipped: `SkippedImages`, where unusable images are named.
        minimum_colorfulness: float, images below it are left out. 0 keeps all.
        cache: `MemoryCache`, `DiskCache` or None.
    """

    def __init__(
        self,
        source: ImageSource,
        short_side: int | None,
        skipped: SkippedImages,
        minimum_colorfulness: float = 0.0,
        cache: MemoryCache | DiskCache | None = None,
    ):
        self.source = source
        self.short_side = short_side
        self.skipped = skipped
        self.minimum_colorfulness = minimum_colorfulness
        self.cache = cache

    def __len__(self) -> int:
        return len(self.source)

    def load(self, number: int) -> np.ndarray | None:
        """The image of this number: uint8 (height, width, 3), or None when it is left out."""
        try:
            return self._load(number)
        except (OSError, sqlite3.Error) as error:
            # Of the cache or the list; those of an image are caught below.
            self.skipped.failure = InputError(
                f"decoded images or the list of those left out cannot be kept: {error}"
            )
            raise self.skipped.failure from error

    @property
    def labels(self) -> ExtraTarget:
        """The numbers of the classes."""
        return ExtraTarget(self.label, "int64", ())

    def label(self, number: int) -> int | None:
        """The number of the image's class, or None when the image is left out."""
        try:
            return self.source.label(number)
        except UnreadableImageError as error:
            name, file = self.source.name(number), self.source.file(number)
            self.skipped.add(name, f"unreadable: {error}", file)
            return None

    def _load(self, number: int) -> np.ndarray | None:
        name, file = self.source.name(number), self.source.file(number)
        if self.skipped.reason(name, file) is not None:
            return None
        try:
            pixels = self._decode(number, name, file)
        except UnreadableImageError as error:
            self.skipped.add(name, f"unreadable: {error}", file)
            return None
        measured = float(colorfulness(pixels.astype("float32")))
        if measured < self.minimum_colorfulness:
            self.skipped.add(name, f"{NO_COLOR}: colorfulness {measured:.1f}", file)
            return None
        return pixels

    def _decode(self, number: int, name: str, file: str) -> np.ndarray:
        if self.cache is None:
            return self.source.read_rgb(number, self.short_side)
        key = self._cache_key(name, file)
        pixels = self.cache.get(key)
        if pixels is None:
            pixels = self.source.read_rgb(number, self.short_side)
            self.cache.put(key, pixels)
        return pixels

    def _cache_key(self, name: str, file: str) -> str:
        try:
            modified = os.stat(file).st_mtime_ns
        except OSError as error:
            raise UnreadableImageError(error.strerror) from error
        return f"{name}|{modified}|{self.short_side}"


def crop_source_side(resolution: int, crop_scale: float) -> int:
    """The short side at which images are loaded, so that the smallest crop is not enlarged."""
    return math.ceil(resolution / math.sqrt(crop_scale))


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
            image = _rotate(image, (2.0 * chance[4] - 1.0) * rotation)
        image = _random_square(image, resolution, crop_scale, chance)
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
        lambda image, other: (_central_square(image, resolution), other),
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
        squares = tf.stack([_central_square(image, resolution) for image in images])
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


def _random_square(
    image: tf.Tensor, resolution: int, crop_scale: float, chance: tf.Tensor
) -> tf.Tensor:
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    largest = tf.cast(tf.minimum(height, width), tf.float32)
    share = crop_scale + (1.0 - crop_scale) * chance[0]
    side = tf.maximum(tf.cast(tf.round(largest * tf.sqrt(share)), tf.int32), 1)
    top = tf.cast(chance[1] * tf.cast(height - side + 1, tf.float32), tf.int32)
    left = tf.cast(chance[2] * tf.cast(width - side + 1, tf.float32), tf.int32)
    return _resize(image[top : top + side, left : left + side], resolution)


def _central_square(image: tf.Tensor, resolution: int) -> tf.Tensor:
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return _resize(image[top : top + side, left : left + side], resolution)


def _resize(image: tf.Tensor, side: int) -> tf.Tensor:
    resized = tf.image.resize(image, [side, side], method="bilinear", antialias=True)
    return tf.ensure_shape(resized, [side, side, 3])


def _rotate(image: tf.Tensor, degrees: tf.Tensor) -> tf.Tensor:
    """Turns an image about its center; the parts that come from outside are reflected in."""
    angle = degrees * (math.pi / 180.0)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    center_y, center_x = (size[0] - 1.0) / 2.0, (size[1] - 1.0) / 2.0
    # The transform maps a place in the result to one in the image.
    from_x = center_x - cosine * center_x + sine * center_y
    from_y = center_y - sine * center_x - cosine * center_y
    transform = tf.stack([cosine, -sine, from_x, sine, cosine, from_y, 0.0, 0.0])
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(image[None], tf.float32),
        transforms=transform[None],
        output_shape=tf.shape(image)[:2],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return turned[0]


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
