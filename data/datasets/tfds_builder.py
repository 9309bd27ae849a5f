"""Any dataset of TensorFlow Datasets that has images, by its builder's name.

`tfds:imagenette/160px-v2` is downloaded and prepared by TFDS once, into `--data_dir`. Images are
then read from the prepared files one by one, in any order, and decoded like any other image.
"""

import logging
import os
from typing import Any

from data.datasets.dataset import Dataset
from data.datasets.dataset_name import did_you_mean
from data.datasets.image_source import ImageSource
from data.datasets.split_options import SplitOptions, split_by_name
from data.datasets.tf_records import TFRecords
from data.image_io import UnreadableImageError, decode_rgb
from errors import InputError, first_line

_TRAINING = "train"
_VALIDATION = ("validation", "test")
_IMAGE = "image"
_LABEL = "label"


def tfds_set(name: str, builder_name: str, data_dir: str | None, options: SplitOptions) -> Dataset:
    """The images of a TFDS dataset, with its own splits.

    The split `validation` or else `test` is for validation, and without either a share of `train`.

    Args:
        name: str, for the table and for errors.
        builder_name: str, `NAME`, `NAME/CONFIG` or `NAME:VERSION`.
        data_dir: str or None, where datasets are prepared; None is TFDS' own choice.
        options: `SplitOptions`.

    Raises:
        InputError: there is no such builder or config, it has no images, or it can be neither
            found nor downloaded.
    """
    builder = _prepared(name, builder_name, data_dir)
    image, label = _features(name, builder.info.features)
    splits = {split: info for split, info in builder.info.splits.items() if info.num_examples}
    validation = next((split for split in _VALIDATION if split in splits), None)
    if _TRAINING not in splits and validation is None:
        raise InputError(
            f"--dataset {name}: it has no split {_TRAINING} but {', '.join(splits) or 'none'}; "
            "give another dataset"
        )
    shown = name if image == _IMAGE else f"{name} ({image})"
    try:
        sides = [
            BuilderImages(builder, split, image, label)
            for split in (_TRAINING, validation)
            if split in splits
        ]
    except InputError as error:
        raise InputError(f"--dataset {name}: {error}") from error
    skipped = {
        f"in the split {split}": info.num_examples
        for split, info in splits.items()
        if split not in (_TRAINING, validation)
    }
    if len(sides) == 2:
        return Dataset(shown, *sides, skipped)
    [images] = sides
    names = (f"{images.split}#{number}" for number in range(len(images)))
    return Dataset(shown, *split_by_name(images, names, options), skipped)


class BuilderImages(ImageSource):
    """The images of one split of a prepared TFDS dataset.

    Args:
        builder: `tfds.core.DatasetBuilder`.
        split: str.
        image: str, the feature that holds the image.
        label: str or None, the feature that holds its class.

    Raises:
        InputError: it is prepared in a format of which records cannot be read one by one.
    """

    def __init__(self, builder: Any, split: str, image: str, label: str | None):
        super().__init__(tuple(builder.info.features[label].names) if label else None)
        import tensorflow_datasets as tfds

        self.split = split
        self._image, self._label = image, label
        self._decoders = {image: tfds.decode.SkipDecoding()}
        self._prefix = f"{builder.info.full_name}/{split}"
        self._file = os.path.join(builder.data_dir, "dataset_info.json")
        if builder.info.file_format == tfds.core.FileFormat.TFRECORD:
            info = builder.info.splits[split]
            paths = [os.fspath(path) for path in info.filepaths]
            self._records = TFRecords(paths, info.shard_lengths)
            # The other features are not decoded: some are images too.
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

    def __len__(self):
        return len(self._records)

    def name(self, number):
        return f"{self._prefix}#{number}"

    def file(self, number):
        return self._file

    def read_rgb(self, number, short_side=None):
        return decode_rgb(self._example(number)[self._image], short_side)

    def label(self, number):
        return int(self._example(number)[self._label]) if self._label else -1

    def _example(self, number: int) -> dict[str, Any]:
        try:
            record = self._records[int(number)]
            if self._features is None:
                return record
            return self._features.deserialize_example_np(record, decoders=self._decoders)
        # TFDS raises whatever its readers make of damaged files.
        except Exception as error:
            raise UnreadableImageError(first_line(error)) from error


def _prepared(name: str, builder_name: str, data_dir: str | None) -> Any:
    """The builder, its data downloaded and prepared."""
    import tensorflow_datasets as tfds

    data_dir = data_dir and os.path.expanduser(data_dir)
    try:
        builder = tfds.builder(builder_name, data_dir=data_dir)
    except Exception as error:
        raise InputError(f"--dataset {name}: {_why_no_builder(builder_name, error)}") from error
    if builder.info.splits:
        return builder
    _features(name, builder.info.features)
    print(f"{name} is prepared by TensorFlow Datasets in {builder.data_dir}", flush=True)
    # Each connection that fails is tried again, which the progress bars show well enough.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        builder.download_and_prepare()
    # A refused connection, a full disk, a checksum, an archive to be fetched by hand ...
    except Exception as error:
        raise InputError(
            f"--dataset {name}: TensorFlow Datasets cannot prepare it: {_reason(error)}; mend "
            f"that, or put the prepared files into {builder.data_dir}"
        ) from error
    return builder


def _why_no_builder(builder_name: str, error: Exception) -> str:
    import tensorflow_datasets as tfds

    plain, _, config = builder_name.split(":")[0].partition("/")
    builders = tfds.list_builders()
    if plain not in builders:
        close = did_you_mean(plain, builders)
        return f"TensorFlow Datasets has no {plain}{close}; all: tfds.list_builders()"
    try:
        configs = list(tfds.builder_cls(plain).builder_configs)
    # Its module needs another one that is not installed.
    except Exception as missing:
        return f"TensorFlow Datasets cannot load it: {_reason(missing)}"
    if config and config not in configs:
        close = did_you_mean(config, configs) or f"; it has {', '.join(configs[:20]) or 'none'}"
        return f"{plain} has no config {config}{close}"
    return f"TensorFlow Datasets cannot find it: {_reason(error)}"


def _reason(error: Exception) -> str:
    """What went wrong, in one line that is not too long."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _features(name: str, features: Any) -> tuple[str, str | None]:
    """The names of the features that hold the image and its class, if there is one."""
    import tensorflow_datasets as tfds

    if not isinstance(features, tfds.features.FeaturesDict):
        features = {}

    def of(kind: type) -> list[str]:
        return sorted(key for key, feature in features.items() if type(feature) is kind)

    # Color has three channels, and transparency a fourth; masks have one.
    images = [key for key in of(tfds.features.Image) if features[key].shape[-1] in (None, 3, 4)]
    if not images:
        raise InputError(
            f"--dataset {name}: it has no color images but "
            f"{', '.join(features) or 'something else'}; "
            "give another dataset"
        )
    classes = of(tfds.features.ClassLabel)
    image = _IMAGE if _IMAGE in images else images[0]
    return image, _LABEL if _LABEL in classes else classes[0] if len(classes) == 1 else None
