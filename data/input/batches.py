"""Makes batches of images: decode, crop, flip, convert to Lab, batch.

Files are read by `data.image_io` in parallel Python calls, because only there can a broken file be
skipped and named while the others are read; Pillow decodes outside Python's global lock. Everything
after that runs in the graph.

The stream of training images is endless, and its element i depends only on the seed and i: it is
the same in every run and different in every pass. A run that resumes at step n starts the stream
at element n x batch_size.

Example:
    from data.datasets.find_images import find_images
    from data.input.image_loader import crop_source_side
    from data.input.skipped_images import SkippedImages

    images = find_images(["my_photographs"]).training
    skipped = SkippedImages("skipped_images.tsv", total=len(images))
    loader = ImageLoader(images, crop_source_side(32, crop_scale=0.5), skipped)
    batches = training_batches(loader, resolution=32, batch_size=4, seed=1)
    lightness, ab = next(iter(batches))     # float32, (4, 32, 32, 1) and (4, 32, 32, 2)
"""

import functools
import math
import os
from collections.abc import Callable, Iterable, Sequence

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
from data.input.drawn_hints import CHANCES, draw_hints, draw_palettes
from data.input.extra_target import ExtraTarget
from data.input.image_loader import ImageLoader
from data.input.image_order import ImageOrder
from data.input.input_shard import InputShard
from data.input.skipped_images import OTHER_SHAPE

# The numbers of images that are processed in parallel and of batches that are prefetched. They are
# fixed: the thread that autotunes them sleeps longer and longer, up to a minute, and an iterator is
# deleted only when it wakes, so that training paused after a validation (TensorFlow 2.21).
_WORKERS = os.cpu_count() or 1
_PREFETCHED = 2

# The pixels of a skipped image.
_NO_PIXELS = np.zeros([0, 0, 3], "uint8")

# Colorization programs round the sides of images to multiples that their networks can halve. Images
# whose aspect ratios differ by this share still show the same.
_SAME_ASPECT_RATIO = 0.02


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
    mixture: Sequence[tuple[int, float]] | None = None,
    hints_share: float | None = None,
) -> tf.data.Dataset:
    """Makes an endless, shuffled, augmented stream of batches.

    Every pass contains each image once, in a new order, with a new crop, flip and rotation. A
    skipped image is replaced by another one, so that no step is lost.

    Args:
        loader: `ImageLoader`, which gives the pixels.
        resolution: int, the side of the square crops.
        batch_size: int, the number of images in a batch.
        seed: int, the seed of the order and of the augmentation.
        crop_scale: float in (0, 1], the smallest area of a random square crop, as a share of the
            largest square in the image. Defaults to `0.5`.
        flip: bool, whether half of the images are mirrored left to right. Defaults to `True`.
        rotation: float, the largest angle of rotation in degrees, in both directions; borders are
            reflected. Defaults to `0.0`.
        saturation: float, the factor of a and b, limited to colors that sRGB can show, as in
            `data.color.gamut.strengthen`. Defaults to `1.0`.
        start: int, the number of elements of the stream to skip. Defaults to `0`.
        extra_target: `ExtraTarget` or None, for example `loader.labels`. Defaults to `None`.
        shard: `InputShard` or None. If given, each batch is reduced to the rows of one worker and
            split into one batch for each of its replicas; other images are not read. Defaults to
            `None`.
        mixture: sequence of (int, float) or None, the number of images and the weight of each
            dataset in the loader, as in `ImageOrder`. Each dataset then has passes of its own.
            Defaults to `None`, which shuffles all images together.
        hints_share: float or None, the share of the images that get hints, by `draw_hints`, and
            some of them palettes, by `draw_palettes`. Defaults to `None`, batches without both.

    Returns:
        `tf.data.Dataset` of (lightness, ab), float32 tensors in the range of the networks, of shape
        (batch_size, resolution, resolution, 1) and (batch_size, resolution, resolution, 2); after
        them hints of shape (batch_size, resolution, resolution, 3), palettes of shape (batch_size,
        529), and the extra target of shape (batch_size, ...), if there are any. With a shard, the
        first dimension is the number of images of one replica.
    """
    shard = shard or InputShard()
    part = batch_size // shard.replicas
    order = _order(loader, seed, mixture)

    def load(position):
        read = functools.partial(_load_for_training, loader, order, extra_target)
        image, target = _read_in_python(read, position, extra_target)
        return position, image, target

    def augment(position, image, target):
        # One number for each random choice, determined by the seed and the position in the stream.
        chance = tf.random.stateless_uniform(
            [5], seed=tf.stack([tf.cast(seed, tf.int64), position])
        )
        if rotation:
            image = rotate(image, (2.0 * chance[4] - 1.0) * rotation)
        image = random_square(image, resolution, crop_scale, chance)
        if flip:
            image = tf.where(chance[3] < 0.5, image[:, ::-1], image)
        return image, _hint_chances(seed, position, hints_share), target

    stream = _own_positions(start, batch_size, shard)
    stream = _mapped(stream, load)
    stream = _mapped(stream, augment)
    batches = stream.batch(part, drop_remainder=True)
    return _to_lab_batches(batches, extra_target, saturation, hints_share)


def _own_positions(start: int, batch_size: int, shard: InputShard) -> tf.data.Dataset:
    """The positions of the stream that a worker reads: its own rows of each batch."""
    positions = tf.data.Dataset.range(start, tf.int64.max)
    if shard.workers == 1:
        return positions
    rows = batch_size // shard.workers
    batches = positions.batch(batch_size, drop_remainder=True)
    return batches.map(lambda batch: batch[shard.worker * rows :][:rows]).unbatch()


def training_images(
    loader: ImageLoader,
    seed: int,
    positions: Iterable[int],
    mixture: Sequence[tuple[int, float]] | None = None,
) -> list[str]:
    """The names of the images at given positions in the stream of training images.

    Args:
        loader: `ImageLoader`, as in `training_batches`.
        seed: int, as in `training_batches`.
        positions: iterable of int, the positions in the stream.
        mixture: sequence of (int, float) or None, as in `training_batches`. Defaults to `None`.

    Returns:
        List of str, the names in the source of the loader. A skipped image is replaced by the same
        image as in the stream.
    """
    names, order = [], _order(loader, seed, mixture)
    for position in positions:
        for number in order.candidates(position):
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
    hints_share: float | None = None,
    seed: int = 0,
) -> tf.data.Dataset:
    """Makes batches of the central squares of all images, once, in order.

    Args:
        loader: `ImageLoader`, which gives the pixels.
        resolution: int, the side of the squares.
        batch_size: int, the number of images in a batch; the last batch may be smaller.
        extra_target: `ExtraTarget` or None, as in `training_batches`. Defaults to `None`.
        shard: `InputShard` or None. If given, only the images of one worker are read, in batches
            for one replica each. Defaults to `None`.
        hints_share: float or None, as in `training_batches`. Defaults to `None`.
        seed: int, the seed of the hints. Defaults to `0`.

    Returns:
        `tf.data.Dataset`, as from `training_batches`.
    """

    shard = shard or InputShard()
    part = math.ceil(batch_size / shard.replicas)

    def load(number):
        image, target = _read_in_python(
            functools.partial(_load_or_empty, loader, extra_target), number, extra_target
        )
        return image, _hint_chances(seed, number, hints_share), target

    images = tf.data.Dataset.range(len(loader)).shard(shard.workers, shard.worker)
    images = _mapped(images, load)
    images = images.filter(lambda image, *others: tf.size(image) > 0)
    images = _mapped(images, lambda image, *others: (central_square(image, resolution), *others))
    return _to_lab_batches(images.batch(part), extra_target, hints_share=hints_share)


def comparison_batches(
    loaders: Sequence[ImageLoader], resolution: int, batch_size: int
) -> tf.data.Dataset:
    """Makes batches of the central squares of the same images from several loaders, in order.

    An image is skipped if any loader skips it, or if its aspect ratio in any loader differs from
    that in the first.

    Args:
        loaders: sequence of `ImageLoader` whose sources have the same length; images with the same
            number belong together.
        resolution: int, the side of the squares.
        batch_size: int, the number of images in a batch; the last batch may be smaller.

    Returns:
        `tf.data.Dataset` of (number, short_side, rgb255): int64 of shape (batch,); int32 of shape
        (batch,), the shorter side of the image in the first loader; and uint8 of shape
        (batch, loaders, resolution, resolution, 3).
    """

    def load(number):
        read = functools.partial(_load_same, loaders)
        images = tf.numpy_function(read, [number], [tf.uint8] * len(loaders))
        # A tuple, because `tf.data` would stack a list into one tensor.
        return number, tuple(tf.ensure_shape(image, [None, None, 3]) for image in images)

    def square(number, images):
        squares = tf.stack([central_square(image, resolution) for image in images])
        short_side = tf.reduce_min(tf.shape(images[0])[:2])
        rgb255 = tf.cast(tf.round(tf.clip_by_value(squares, 0.0, 255.0)), tf.uint8)
        return number, short_side, rgb255

    stream = tf.data.Dataset.range(len(loaders[0]))
    stream = _mapped(stream, load)
    stream = stream.filter(lambda number, images: tf.size(images[0]) > 0)
    stream = _mapped(stream, square)
    return _prefetch(stream.batch(batch_size))


def _order(
    loader: ImageLoader, seed: int, mixture: Sequence[tuple[int, float]] | None
) -> ImageOrder:
    return ImageOrder(seed, mixture or [(len(loader), 1.0)])


# Stands in for an extra target if there is none.
_NO_TARGET = ExtraTarget(lambda number: 0, "int64", ())


def _read_in_python(
    read: Callable, number: tf.Tensor, extra_target: ExtraTarget | None
) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads an image and its extra target in Python."""
    extra_target = extra_target or _NO_TARGET
    image, target = tf.numpy_function(read, [number], (tf.uint8, extra_target.dtype))
    return tf.ensure_shape(image, [None, None, 3]), tf.ensure_shape(target, extra_target.shape)


def _load_for_training(
    loader: ImageLoader, order: ImageOrder, extra_target: ExtraTarget | None, position: int
) -> tuple[np.ndarray, np.ndarray]:
    for number in order.candidates(int(position)):
        image, target = _load_or_empty(loader, extra_target, number)
        if image.size:
            return image, target
    return loader.skipped.fail("hardly any training image can be used")


def _load_or_empty(
    loader: ImageLoader, extra_target: ExtraTarget | None, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Loads an image and its extra target, or no pixels if the image is skipped."""
    number = int(number)
    extra_target = extra_target or _NO_TARGET
    image = loader.load(number)
    if image is not None:
        # Some sources read a record for each label, so this is not done for skipped images.
        target = extra_target.read(number)
        if target is not None:
            return image, np.asarray(target, extra_target.dtype)
    return _NO_PIXELS, np.zeros(extra_target.shape, extra_target.dtype)


def _load_same(loaders: Sequence[ImageLoader], number: int) -> list[np.ndarray]:
    """Loads an image from each loader, or no pixels if it cannot be compared."""
    number = int(number)
    images: list[np.ndarray] = []
    for loader in loaders:
        image = loader.load(number)
        if image is not None and images and not _has_aspect_ratio_of(images[0], image):
            name, file = loader.source.name(number), loader.source.file(number)
            received, wanted = (each.shape[1] / each.shape[0] for each in (image, images[0]))
            loader.skipped.add(
                name, f"{OTHER_SHAPE}: width / height {received:.3f} instead of {wanted:.3f}", file
            )
            image = None
        if image is None:
            return [_NO_PIXELS] * len(loaders)
        images.append(_resized_like(images[0], image) if images else image)
    return images


def _resized_like(reference: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Resizes an image to the size of the reference, so that squares of both show the same part."""
    if image.shape == reference.shape:
        return image
    resized = Image.fromarray(image).resize(reference.shape[1::-1], Image.Resampling.BICUBIC)
    return np.asarray(resized)


def _has_aspect_ratio_of(reference: np.ndarray, image: np.ndarray) -> bool:
    """Whether two images have the same aspect ratio, apart from rounding to whole pixels."""
    ratio = (reference.shape[0] * image.shape[1]) / (reference.shape[1] * image.shape[0])
    rounding = 1.0 / min(*reference.shape[:2], *image.shape[:2])
    return abs(math.log(ratio)) <= _SAME_ASPECT_RATIO + rounding


# Sets the numbers of hints apart from those of the augmentation, which have the same position.
_SEED_OF_HINTS = 2**32


def _hint_chances(seed: int, position: tf.Tensor, hints_share: float | None) -> tf.Tensor:
    """The random numbers of an image's hints, determined by the seed and the position."""
    if hints_share is None:
        return tf.zeros([0])
    seeds = tf.stack([tf.constant(seed + _SEED_OF_HINTS, tf.int64), position])
    return tf.random.stateless_uniform([CHANCES], seeds)


def _to_lab_batches(
    batches: tf.data.Dataset,
    extra_target: ExtraTarget | None,
    saturation: float = 1.0,
    hints_share: float | None = None,
) -> tf.data.Dataset:
    to_lab = _rgb255_to_split_lab1(saturation)

    def convert(rgb255, chances, targets):
        lightness, ab = to_lab(rgb255)
        given = []
        if hints_share is not None:
            given = [draw(ab, chances, hints_share) for draw in (draw_hints, draw_palettes)]
        return (lightness, ab, *given, *((targets,) if extra_target else ()))

    return _prefetch(_mapped(batches, convert))


@functools.cache
def _rgb255_to_split_lab1(saturation: float) -> Callable:
    """The conversion of a batch; all streams share it, because it takes a second to compile.

    XLA fuses the many operations into one loop, which is 2.5 times as fast.
    """

    @tf.function(autograph=False, jit_compile=True)
    def convert(rgb255):
        if saturation == 1.0:
            return split_lab(rgb255_to_lab1(rgb255))
        lab100 = rgb1_to_lab100(rgb255_to_rgb1(rgb255))
        return split_lab(lab100_to_lab1(strengthen(lab100, saturation)))

    return convert


def _mapped(stream: tf.data.Dataset, function: Callable) -> tf.data.Dataset:
    """Applies a function to all elements, in parallel."""
    # AutoGraph has nothing to convert in these functions, but takes up to seconds to find that out.
    graph = tf.autograph.experimental.do_not_convert(function)
    return stream.map(graph, num_parallel_calls=_WORKERS)


def _prefetch(batches: tf.data.Dataset) -> tf.data.Dataset:
    """Prepares batches while earlier ones are in use."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return batches.prefetch(_PREFETCHED).with_options(options)
