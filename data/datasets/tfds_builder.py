"""Image datasets of TensorFlow Datasets (TFDS), by the name of their builder.

TFDS downloads and prepares a dataset such as `tfds:imagenette/160px-v2` once, into `data_dir`.
Images are then read from the prepared files individually, in any order, and decoded like any other
image.
"""

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.datasets.dataset import Dataset
from data.datasets.dataset_name import did_you_mean
from data.datasets.dataset_options import DatasetOptions
from data.datasets.image_source import ImageSource
from data.datasets.split_by_name import split_by_name
from data.datasets.tf_records import TFRecords
from data.image_io import UnreadableImageError
from data.photos.read_rgb import decode_rgb
from errors import InputError, first_line

_TRAINING = "train"
_VALIDATION = ("validation", "test")
_IMAGE = "image"
_LABEL = "label"


def tfds_set(name: str, builder_name: str, options: DatasetOptions) -> Dataset:
    """Finds the images of a TFDS dataset, with its own splits.

    The split `train` is used for training and `validation`, or else `test`, for validation. If
    only one of the two exists, it is split by a hash of the names of its images.

    Args:
        name: str, the dataset's name in the table.
        builder_name: str, `NAME`, `NAME/CONFIG` or `NAME:VERSION`.
        options: `DatasetOptions`, with the folder of prepared datasets.

    Returns:
        `Dataset`.

    Raises:
        InputError: if there is no such builder or config, it has no images, or it can be neither
            found nor downloaded.
    """
    builder = _prepared(builder_name, options.data_dir)
    image, label = _features(builder.info.features)
    splits = {split: info for split, info in builder.info.splits.items() if info.num_examples}
    held_out = [split for split in _VALIDATION if split in splits][:1]
    used = [split for split in (_TRAINING, *held_out) if split in splits]
    if not used:
        raise InputError(
            f"it has no split {_TRAINING}; its splits with examples are: "
            f"{', '.join(splits) or 'none'}; give another dataset"
        )
    sides: Sequence[ImageSource] = [BuilderImages(builder, split, image, label) for split in used]
    skipped = {
        f"in the split {split}": info.num_examples
        for split, info in splits.items()
        if split not in used
    }
    if len(sides) == 1:
        names = (f"{used[0]}#{number}" for number in range(len(sides[0])))
        sides = split_by_name(sides[0], names, options)
    training, validation = sides
    return Dataset(name if image == _IMAGE else f"{name} ({image})", training, validation, skipped)


class BuilderImages(ImageSource):
    """Reads the images of one split of a prepared TFDS dataset.

    Args:
        builder: `tfds.core.DatasetBuilder`.
        split: str, the name of the split.
        image: str, the name of the image feature.
        label: str or None, the name of the class feature.

    Raises:
        InputError: if the dataset is prepared in a format without access to individual records.
    """

    def __init__(self, builder: Any, split: str, image: str, label: str | None):
        super().__init__(tuple(builder.info.features[label].names) if label else None)
        import tensorflow_datasets as tfds

        self._image, self._label = image, label
        self._decoders = {image: tfds.decode.SkipDecoding()}
        self._prefix = f"{builder.info.full_name}/{split}"
        self._file = os.path.join(builder.data_dir, "dataset_info.json")
        if builder.info.file_format == tfds.core.FileFormat.TFRECORD:
            info = builder.info.splits[split]
            paths = [os.fspath(path) for path in info.filepaths]
            self._records: Any = TFRecords(paths, info.shard_lengths)
            # Other features are not decoded, because they may be images too.
            wanted = {feature: True for feature in (image, label) if feature}
            partial = tfds.decode.PartialDecoding(wanted)
            self._features = partial.extract_features(builder.info.features)
        else:
            self._features = None
            try:
                self._records = builder.as_data_source(split, decoders=self._decoders)
            except (ImportError, NotImplementedError) as error:
                raise InputError(
                    f"{self._prefix} is prepared as {builder.info.file_format.value}, which cannot "
                    "be read record by record; prepare it as tfrecord"
                ) from error

    def __len__(self) -> int:
        return len(self._records)

    def name(self, number: int) -> str:
        return f"{self._prefix}#{number}"

    def file(self, number: int) -> str:
        return self._file

    def read_rgb(self, number: int, short_side: int | None = None) -> np.ndarray:
        return decode_rgb(self._example(number)[self._image], short_side)

    def label(self, number: int) -> int:
        return int(self._example(number)[self._label]) if self._label else -1

    def _example(self, number: int) -> dict[str, Any]:
        try:
            record = self._records[int(number)]
            if self._features is None:
                return record
            return self._features.deserialize_example_np(record, decoders=self._decoders)
        # TFDS may raise any exception for a damaged file.
        except Exception as error:
            raise UnreadableImageError(first_line(error)) from error


def _prepared(builder_name: str, data_dir: str | None) -> Any:
    """Returns the builder after its data has been downloaded and prepared."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(builder_name, data_dir=data_dir and os.path.expanduser(data_dir))
    except Exception as error:
        raise InputError(_why_no_builder(builder_name, error)) from error
    if builder.info.splits:
        return builder
    _features(builder.info.features)
    print(f"preparing {builder_name} with TensorFlow Datasets in {builder.data_dir}", flush=True)
    # urllib3 warns about each connection that it retries; the progress bars show enough.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        builder.download_and_prepare()
    # For example a refused connection, a full disk, a wrong checksum or a manual download.
    except Exception as error:
        raise InputError(
            f"TensorFlow Datasets cannot prepare it: {_reason(error)}; fix this, or put the "
            f"prepared files into {builder.data_dir}"
        ) from error
    return builder


def _why_no_builder(builder_name: str, error: Exception) -> str:
    import tensorflow_datasets as tfds

    plain, _, config = builder_name.split(":")[0].partition("/")
    builders = tfds.list_builders()
    if plain not in builders:
        close = did_you_mean(plain, builders)
        return f"TensorFlow Datasets has no {plain}{close}; tfds.list_builders() lists all"
    try:
        configs = list(tfds.builder_cls(plain).builder_configs)
    # For example a builder whose module imports a package that is not installed.
    except Exception as missing:
        return f"TensorFlow Datasets cannot load it: {_reason(missing)}"
    if config and config not in configs:
        close = did_you_mean(config, configs) or f"; it has {', '.join(configs[:20]) or 'none'}"
        return f"{plain} has no config {config}{close}"
    return f"TensorFlow Datasets cannot find it: {_reason(error)}"


def _reason(error: Exception) -> str:
    """Returns the message of an error as one line of limited length."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _features(features: Any) -> tuple[str, str | None]:
    """Returns the names of the image feature and of the class feature, if there is one."""
    import tensorflow_datasets as tfds

    if not isinstance(features, tfds.features.FeaturesDict):
        features = {}
    kinds = {name: type(features[name]) for name in sorted(features)}
    classes = [name for name, kind in kinds.items() if kind is tfds.features.ClassLabel]
    images = [name for name, kind in kinds.items() if kind is tfds.features.Image]
    # Color images have three channels, or four with transparency; masks have one.
    images = [name for name in images if features[name].shape[-1] in (None, 3, 4)]
    if not images:
        raise InputError(
            f"it has no color images, only {', '.join(features) or 'something else'}; give another "
            "dataset"
        )
    image = _IMAGE if _IMAGE in images else images[0]
    return image, _LABEL if _LABEL in classes else classes[0] if len(classes) == 1 else None
