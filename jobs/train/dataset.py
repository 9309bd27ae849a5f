"""The training and validation images of a training, and the number of steps in an epoch."""

import contextlib
import math
import os
import sys

import numpy as np
import tensorflow as tf

from config.settings import Settings
from data.color.ab_bins import count_bins
from data.datasets.dataset_name import DEMO
from data.datasets.dataset_options import DatasetOptions
from data.datasets.find_images import find_images
from data.datasets.image_files import ImageFiles
from data.datasets.image_lists import ImageLists
from data.datasets.image_source import ImageSource
from data.datasets.side_by_side import warn_of_pairs
from data.image_io import list_image_paths
from data.input.batches import training_batches, training_images, validation_batches
from data.input.disk_cache import DiskCache
from data.input.extra_target import ExtraTarget
from data.input.image_loader import ImageLoader, crop_source_side
from data.input.input_shard import InputShard
from data.input.memory_cache import MemoryCache
from data.input.skipped_images import SkippedImages
from errors import InputError, shown
from jobs.common.error_translation import about_option, translate_errors
from jobs.common.progress_bar import progress_bar
from models.catalog import COLORIZERS

# Steps in an epoch of the demo photographs. They are few, so they are repeated with new crops.
_DEMO_STEPS = 50

# Images whose colors are counted: enough for rare colors. Those of a small dataset are repeated.
_COUNTED = 2048

_ADVICE = "look at the list, lower --minimum_colorfulness, or give another --dataset"


def find_training_images(settings: Settings) -> ImageLists:
    """Finds the images of the datasets in the settings.

    Args:
        settings: `Settings`.

    Raises:
        InputError: a dataset cannot be found, is not of the expected format, or has a weight but no
            training image.
    """
    options = DatasetOptions(
        validation_share=settings.validation_share,
        max_images=settings.max_images,
        seed=settings.seed,
        minimum_colorfulness=settings.minimum_colorfulness,
        categories=settings.categories or (),
        data_dir=settings.data_dir,
    )
    with about_option("dataset"):
        lists = find_images(settings.dataset, options)
    if settings.dataset_weights is None:
        return lists
    with about_option("dataset_weights"):
        return lists.weighted(settings.dataset_weights)


def print_datasets(lists: ImageLists) -> None:
    """Prints the table of the datasets, and what is noteworthy about them."""
    print(lists.table())
    for dataset in lists.sets:
        for note in dataset.notes:
            print(f"{shown(dataset.name)}: {note}")
        pairs = warn_of_pairs(dataset.training)
        for warning in (*dataset.warnings, *([pairs] if pairs else [])):
            print(f"warning: {shown(dataset.name)}: {warning}", file=sys.stderr)


class TrainingData:
    """The training images, validation images and samples of a training.

    Args:
        settings: `Settings`.
        lists: `ImageLists`, from `find_training_images`.
        log_dir: str, the folder for the list of skipped images. With a cache on disk, the list is
            in the folder of the cache instead.
        list_name: str, the file name of that list; each worker has its own. Defaults to
            `"skipped_images.tsv"`.

    Raises:
        InputError: there are no images or fewer than one batch, or the model needs labels and the
            images have none or labels of different classes.
    """

    def __init__(
        self,
        settings: Settings,
        lists: ImageLists,
        log_dir: str,
        list_name: str = "skipped_images.tsv",
    ):
        self.settings = settings
        self.lists = lists
        self.with_labels = COLORIZERS[settings.model].needs_labels
        if self.with_labels:
            lists.check_labels()
        self.steps_per_epoch = self._steps_per_epoch()
        cache: MemoryCache | DiskCache | None = None
        self._list_folder = log_dir
        if settings.cache == "memory":
            cache = MemoryCache()
        elif settings.cache != "none":
            with about_option("cache"):
                cache, self._list_folder = DiskCache(settings.cache), settings.cache
        list_path = os.path.join(self._list_folder, list_name)
        self.skipped = SkippedImages(list_path, len(self.lists), _ADVICE)
        side = crop_source_side(settings.resolution, settings.crop_scale)
        self.training = self._loader(self.lists.training, side, cache)
        self._validation = self._loader(self.lists.validation, settings.resolution, cache)

    def training_batches(
        self,
        start: int,
        with_labels: bool = False,
        extra_target: ExtraTarget | None = None,
        shard: InputShard | None = None,
    ) -> tf.data.Dataset:
        """The stream of training batches.

        Args:
            start: int, the position in the stream of the first image.
            with_labels: bool, add the labels as the extra target. They are always added if the
                model needs them. Defaults to `False`.
            extra_target: `ExtraTarget` or None. Defaults to `None`.
            shard: `InputShard` or None, the part of one worker. Defaults to `None`.

        Returns:
            `tf.data.Dataset` of (lightness, ab) or (lightness, ab, extra_target).
        """
        if with_labels or self.with_labels:
            extra_target = self.training.labels
        return training_batches(
            self.training,
            resolution=self.settings.resolution,
            batch_size=self.settings.batch_size,
            seed=self.settings.seed,
            crop_scale=self.settings.crop_scale,
            flip=self.settings.flip,
            rotation=self.settings.rotation,
            saturation=self.settings.target_saturation,
            start=start,
            extra_target=extra_target,
            shard=shard,
            mixture=self.lists.mixture,
        )

    def shared_training_batches(
        self, strategy: tf.distribute.Strategy, start: int, extra_target: ExtraTarget | None = None
    ) -> tf.data.Dataset | tf.distribute.DistributedDataset:
        """The stream of training batches, distributed to the replicas of a strategy."""
        if strategy.num_replicas_in_sync == 1:
            return self.training_batches(start, extra_target=extra_target)

        def worker_batches(context):
            batches = self.training_batches(
                start, extra_target=extra_target, shard=_input_shard(context)
            )
            # Otherwise the workers ask each other in every step whether there are more batches.
            endless = tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            return batches.apply(endless)

        return strategy.distribute_datasets_from_function(worker_batches)

    def ab_histogram(self) -> np.ndarray:
        """The ab histogram of the first images of the stream, from `count_bins`."""
        size = self.settings.batch_size
        batches = self.training_batches(0).take(math.ceil(_COUNTED / size))
        with progress_bar("counting colors", total=_COUNTED) as bar:

            def images():
                for _, ab, *_ in batches:
                    yield ab
                    bar.update(min(size, _COUNTED - bar.n))

            return count_bins(images())

    def images_of_batch(self, number: int) -> list[str]:
        """The names of the images of batch `number` of the stream."""
        first = number * self.settings.batch_size
        positions = range(first, first + self.settings.batch_size)
        return training_images(self.training, self.settings.seed, positions, self.lists.mixture)

    def validation_batches(
        self, strategy: tf.distribute.Strategy
    ) -> tf.data.Dataset | tf.distribute.DistributedDataset | None:
        """The validation batches, or None without a usable validation image."""
        if not self._has_validation():
            if self.lists.validation:
                print(
                    "warning: no validation image can be used; training without validation",
                    file=sys.stderr,
                )
            return None
        if strategy.num_replicas_in_sync == 1:
            return self._validation_batches()
        return strategy.distribute_datasets_from_function(
            lambda context: self._validation_batches(_input_shard(context))
        )

    def _has_validation(self) -> bool:
        loader = self._validation
        return any(
            loader.load(number) is not None
            and not (self.with_labels and loader.label(number) is None)
            for number in range(len(loader))
        )

    def _validation_batches(self, shard: InputShard | None = None) -> tf.data.Dataset:
        return validation_batches(
            self._validation,
            self.settings.resolution,
            self.settings.validation_batch_size or self.settings.batch_size,
            self._validation.labels if self.with_labels else None,
            shard,
        )

    def samples(self, batches: int = 1) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """The first usable images of the validation set, or of the training set if it has none.

        Args:
            batches: int, the largest number of batches. Defaults to `1`.

        Returns:
            List of (lightness, ab), each of up to `settings.sample_count` images.

        Raises:
            InputError: no image can be used.
        """
        count = self.settings.sample_count
        for source in (self.lists.validation, self.lists.training):
            stream = validation_batches(self.loader_of(source), self.settings.resolution, count)
            if found := list(stream.take(batches)):
                return found
        return self.skipped.fail("no image can be used")

    def samples_without_truth(self, folder: str) -> tf.Tensor:
        """The lightness of the photographs of --sample_images.

        Args:
            folder: str, the folder of the photographs.

        Returns:
            float32 tensor of shape (batch, height, width, 1), in the range of networks.

        Raises:
            InputError: no photograph can be read.
        """
        count = self.settings.sample_count
        try:
            paths = list_image_paths(folder)[:count]
        except OSError as error:
            raise InputError(f"--sample_images {folder}: {error.strerror}") from error
        # Twice the total, so that the list never raises: the error below is clearer.
        list_path = os.path.join(self._list_folder, "skipped_samples.tsv")
        skipped = SkippedImages(list_path, total=2 * len(paths))
        loader = ImageLoader(ImageFiles(folder, paths), self.settings.resolution, skipped)
        for lightness, _ in validation_batches(loader, self.settings.resolution, count):
            return lightness
        raise InputError(f"--sample_images {folder}: it contains no readable image")

    def translate_errors(self) -> contextlib.AbstractContextManager:
        """Translates TensorFlow's errors about images, and reports the skipped images."""
        return translate_errors(self.skipped, self.settings.batch_size, self.settings.resolution)

    def loader_of(self, source: ImageSource, side: int | None = None) -> ImageLoader:
        """A loader for other images, which are loaded like validation images.

        Args:
            source: `ImageSource`.
            side: int or None, the shorter side in pixels of the loaded images. Defaults to `None`,
                `settings.resolution`.
        """
        return self._loader(source, side or self.settings.resolution)

    def _loader(self, source: ImageSource, side: int, cache=None) -> ImageLoader:
        return ImageLoader(source, side, self.skipped, self.settings.minimum_colorfulness, cache)

    def _steps_per_epoch(self) -> int:
        if not self.lists.training:
            reasons = "; ".join(filter(None, (dataset.reasons() for dataset in self.lists.sets)))
            raise InputError(
                f"no image is left to train on ({reasons or 'none was found'}), "
                f"{len(self.lists.validation)} to validate on; give another --dataset or select "
                "more of its images"
            )
        if self.settings.steps_per_epoch:
            return self.settings.steps_per_epoch
        if self.settings.dataset == (DEMO,):
            return _DEMO_STEPS
        steps = len(self.lists.training) // self.settings.batch_size
        if steps == 0:
            few = (
                f"{len(self.lists.training)} training images are fewer than one batch of "
                f"{self.settings.batch_size}: lower --batch_size, give more images, or set "
                "--steps_per_epoch to repeat them"
            )
            if self.settings.job != "inspect":
                raise InputError(few)
            print(f"warning: no training can start: {few}", file=sys.stderr)
        return steps


def _input_shard(context: tf.distribute.InputContext) -> InputShard:
    return InputShard(
        worker=context.input_pipeline_id,
        workers=context.num_input_pipelines,
        replicas=context.num_replicas_in_sync,
    )
