"""The settings of the datasets and of the images that networks receive."""

import functools
from dataclasses import dataclass

from config.groups.argument_types import (
    Factor,
    File,
    Folder,
    Name,
    NotNegative,
    PositiveInt,
    Rate,
    Scale,
    Share,
    Side,
)
from config.groups.setting import TRUE_COLORS, Jobs, Need, Remembered, setting
from data.datasets.dataset_name import COCO, TFDS

_dataset_setting = functools.partial(setting, jobs=Jobs.OPENING_DATASETS)


def _needs_dataset(kind: str, form: str) -> Need:
    def is_given(settings):
        return any(name.startswith(f"{kind}:") for name in settings.dataset)

    return Need(is_given, f"without a --dataset {form}")


_SEVERAL_DATASETS = Need(lambda settings: len(settings.dataset) > 1, "with a single --dataset")
_CLASSES = Need(
    lambda settings: settings.inspect or (settings.model == "chromagan" and settings.class_weight),
    "without --inspect or --model chromagan with a --class_weight above 0",
)


@dataclass(frozen=True, init=False, repr=False, eq=False)
class DataSettings:
    """Which images there are, and how they are cropped, augmented and batched."""

    dataset: tuple[Folder, ...] = _dataset_setting(
        "one or more datasets, which are joined: a folder of images (searched recursively; "
        "subfolders such as train/ and val/ or test/ are the split), `demo` (the photographs that "
        "scikit-image installs), `tiny-imagenet:DIR`, `imagenet64:DIR` (the downsampled ImageNet), "
        "`coco:DIR` (or any annotations in its format), `tfds:NAME` (any images of TensorFlow "
        "Datasets)",
        ("demo",),
        needs=[TRUE_COLORS],
        metavar="NAME",
        forget=Remembered.IMAGES,
    )
    dataset_weights: tuple[Rate, ...] | None = setting(
        "how often each --dataset is drawn for training, relative to the others: one number for "
        "each, in their order, as in --dataset_weights 3 1 (default: in proportion to their "
        "numbers of images)",
        needs=[_SEVERAL_DATASETS],
        of_datasets=True,
        forget=Remembered.COLORS,
        metavar="WEIGHT",
    )
    categories: tuple[Name, ...] | None = _dataset_setting(
        "from COCO, use only images with at least one object of these categories or "
        "supercategories, as in --categories cat dog vehicle",
        needs=[TRUE_COLORS, _needs_dataset(COCO, "coco:DIR")],
        of_datasets=True,
        forget=Remembered.IMAGES,
    )
    data_dir: Folder | None = _dataset_setting(
        "folder where TensorFlow Datasets stores its downloads (default: ~/tensorflow_datasets)",
        needs=[TRUE_COLORS, _needs_dataset(TFDS, "tfds:NAME")],
        of_datasets=True,
    )
    class_index: File | None = setting(
        "list of ImageNet's classes, a file like Keras' imagenet_class_index.json (default: the "
        "one in Keras' cache, or the list in TensorFlow Datasets)",
        needs=[_CLASSES],
    )
    max_images: PositiveInt | None = _dataset_setting(
        "use at most this many images", aliases=("max_pictures",), forget=Remembered.IMAGES
    )
    # 50 of a thousand images: enough to see a trend, and training loses only a few.
    validation_share: Share = _dataset_setting(
        "share of the images to hold out for validation, where the dataset has no split; "
        "without this option, --evaluate uses all images that the weights were not trained on",
        0.05,
        needs=[TRUE_COLORS],
        fixed="checkpoint",
    )
    # The largest side that one small GPU, or a patient CPU, can train on overnight.
    resolution: Side = _dataset_setting(
        "side of the training and validation images, at least 16", 128, fixed="checkpoint"
    )
    # SAGAN's 256 needs several GPUs; pix2pix and its relatives are trained with 1 to 16.
    batch_size: PositiveInt = setting(
        "images in a training step; for other jobs, images in a forward pass",
        16,
        jobs=Jobs.TRAINING | Jobs.COLORING,
    )
    validation_batch_size: PositiveInt | None = setting(
        "images in a validation batch (default: --batch_size)"
    )
    steps_per_epoch: PositiveInt | None = setting(
        "training steps in an epoch (default: one pass over the images; 50 for demo)"
    )
    validation_steps: PositiveInt | None = setting("batches in a validation (default: all)")
    # Enough variety, while a crop still shows the scene: the network colors what it recognizes.
    crop_scale: Scale = setting(
        "smallest area of a random crop, as a share of the largest square in the image",
        0.5,
        forget=Remembered.TRAINING_LOSSES,
    )
    flip: bool = setting(
        "mirror half of the training images, or none (default: --flip)",
        True,
        forget=Remembered.TRAINING_LOSSES,
    )
    rotation: NotNegative = setting(
        "largest random rotation of the training images; their borders are reflected",
        0.0,
        metavar="DEGREES",
        forget=Remembered.TRAINING_LOSSES,
    )
    # Train on the true colors.
    target_saturation: Factor = setting(
        "multiply the colors to train on by this factor, within the sRGB gamut; validation "
        "compares with the true colors",
        1.0,
        forget=Remembered.COLORS,
    )
    # JPEG's rounding gives gray images a value of up to about 1; 15 is "slightly colorful".
    minimum_colorfulness: NotNegative = _dataset_setting(
        "skip images below this colorfulness (Hasler and Suesstrunk)",
        2.0,
        needs=[TRUE_COLORS],
        forget=Remembered.IMAGES,
    )
    cache: Folder = setting(
        "where to cache the decoded images, at training size: `none`, `memory`, or a folder",
        "none",
        metavar="{none,memory,DIR}",
    )
