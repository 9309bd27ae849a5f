"""The training and validation images of one or more datasets."""

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
        sets: list of `Dataset`, each restricted to the images that are used.
    """

    training: ImageSource
    validation: ImageSource
    sets: list[Dataset]

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)

    def check_labels(self) -> None:
        """Checks that all images have labels, and that all datasets have the same classes.

        Raises:
            InputError: if a dataset has no labels, or two datasets have different classes.
        """
        first = self.sets[0]
        for dataset in self.sets:
            if dataset.training.classes is None:
                raise InputError(
                    f"labels are required, but {dataset.name} has none; give datasets with labels "
                    "(tiny-imagenet, imagenet64, most of tfds)"
                )
            if dataset.training.classes != first.training.classes:
                raise InputError(
                    f"labels are required, but {first.name} and {dataset.name} have different "
                    f"classes ({len(first.training.classes)} and "
                    f"{len(dataset.training.classes)}); give datasets with the same classes"
                )

    def table(self) -> str:
        """Returns a printable table of the datasets: their sizes, and what is skipped and why."""
        rows = [
            (
                shown(dataset.name),
                f"{len(dataset.training):,}",
                f"{len(dataset.validation):,}",
                f"{sum(dataset.skipped.values()):,}",
                dataset.reasons(),
            )
            for dataset in self.sets
        ]
        if len(rows) > 1:
            skipped = sum(sum(dataset.skipped.values()) for dataset in self.sets)
            totals = (len(self.training), len(self.validation), skipped)
            rows.append(("total", *(f"{count:,}" for count in totals), ""))
        rows.insert(0, ("dataset", "training", "validation", "skipped", ""))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            f"{name:{widths[0]}}  {training:>{widths[1]}}  {validation:>{widths[2]}}  "
            f"{skipped:>{widths[3]}}  {why}".rstrip()
            for name, training, validation, skipped, why in rows
        )
