"""The training and validation images of one or more datasets."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from data.datasets.dataset import Dataset
from data.datasets.image_source import ImageSource
from errors import InputError, shown


@dataclass(frozen=True)
class ImageLists:
    """The training and validation images of one or more datasets.

    Attributes:
        training: `ImageSource`, the training images.
        validation: `ImageSource`, the validation images, disjoint from `training`. They are in a
            fixed random order, so that the first N of them are a random sample.
        sets: list of `Dataset`, each restricted to the images that are used. `training` lists their
            training images one after another.
        weights: tuple of float or None, how often each dataset is drawn for training, relative to
            the others. Defaults to `None`, in proportion to their numbers of images.
    """

    training: ImageSource
    validation: ImageSource
    sets: list[Dataset]
    weights: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)

    @property
    def mixture(self) -> list[tuple[int, float]] | None:
        """The number of training images and the weight of each dataset, or None without weights."""
        if self.weights is None:
            return None
        sizes = (len(dataset.training) for dataset in self.sets)
        return list(zip(sizes, self.weights, strict=True))

    def weighted(self, weights: Sequence[float]) -> "ImageLists":
        """The same images, with weights that say how often each dataset is drawn for training.

        Args:
            weights: sequence of float, above 0, one for each dataset, relative to each other.

        Raises:
            InputError: if the weights do not fit the datasets.
        """
        if len(weights) != len(self.sets):
            raise InputError(
                f"give one weight for each of the {len(self.sets)} datasets; "
                f"received {len(weights)}"
            )
        for dataset, weight in zip(self.sets, weights, strict=True):
            if not 0.0 < weight < math.inf:
                raise InputError(f"received the weight {weight}; give a number above 0")
            if not dataset.training:
                raise InputError(
                    f"no training image of {dataset.name} is left to draw "
                    f"({dataset.reasons() or 'it has none'}); leave out the dataset and its weight"
                )
        return dataclasses.replace(self, weights=tuple(weights))

    def check_labels(self) -> None:
        """Checks that all images have labels, and that all datasets have the same classes.

        Raises:
            InputError: if a dataset has no labels, or two datasets have different classes.
        """
        first = self.sets[0]
        expected = first.training.classes
        for dataset in self.sets:
            classes = dataset.training.classes
            # `expected` is None only if `dataset` is the first and has no labels.
            if expected is None or classes is None:
                raise InputError(
                    f"labels are required, but {dataset.name} has none; give datasets with labels "
                    "(tiny-imagenet, imagenet64, most of tfds)"
                )
            if classes != expected:
                raise InputError(
                    f"labels are required, but {first.name} and {dataset.name} have different "
                    f"classes ({len(expected)} and {len(classes)}); give datasets with the same "
                    "classes"
                )

    def table(self) -> str:
        """Returns a printable table of the datasets: their sizes, and what is skipped and why.

        With weights, it also shows the share of each dataset in the training.
        """
        rows: list[tuple[str, ...]] = [("dataset", "training", "validation", "skipped", "")]
        for dataset in self.sets:
            counts = (len(dataset.training), len(dataset.validation), sum(dataset.skipped.values()))
            rows.append((shown(dataset.name), *map("{:,}".format, counts), dataset.reasons()))
        if len(self.sets) > 1:
            skipped = sum(sum(dataset.skipped.values()) for dataset in self.sets)
            counts = (len(self.training), len(self.validation), skipped)
            rows.append(("total", *map("{:,}".format, counts), ""))
        if self.weights:
            shares = (f"{weight / sum(self.weights):.1%}" for weight in self.weights)
            # A single dataset has no row of totals.
            column = zip(rows, ("share", *shares, "100.0%"), strict=False)
            rows = [(*row[:2], share, *row[2:]) for row, share in column]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(
                f"{cell:>{width}}" if 0 < column < len(row) - 1 else f"{cell:{width}}"
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        )
