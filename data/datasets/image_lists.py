"""The images of one or more datasets, as they were found."""

from dataclasses import dataclass

from data.datasets.dataset import Dataset
from data.datasets.image_source import ImageSource
from errors import InputError, shown


@dataclass(frozen=True)
class ImageLists:
    """The images of one or more datasets.

    Attributes:
        training: the images to learn from.
        validation: the images to judge by, none of them in `training`, in a fixed random order:
            any first part of them is a fair sample.
        sets: each dataset, with what is used of it.
    """

    training: ImageSource
    validation: ImageSource
    sets: list[Dataset]

    def __len__(self) -> int:
        return len(self.training) + len(self.validation)

    def check_labels(self) -> None:
        """Makes sure that all images have labels, and that these mean the same everywhere.

        Raises:
            InputError: a set has none, or two sets have different classes.
        """
        first = self.sets[0]
        for each in self.sets:
            if each.training.classes is None:
                raise InputError(
                    f"labels are needed, and {each.name} has none; give datasets with labels "
                    "(tiny-imagenet, imagenet64, most of tfds)"
                )
            if each.training.classes != first.training.classes:
                raise InputError(
                    f"labels are needed, and {first.name} ({len(first.training.classes)} classes) "
                    f"and {each.name} ({len(each.training.classes)}) have different ones; give "
                    "datasets of the same classes"
                )

    def table(self) -> str:
        """The sizes of the datasets, and what is left out of them and why, in lines to print."""
        rows = [
            (
                shown(each.name),
                f"{len(each.training):,}",
                f"{len(each.validation):,}",
                f"{sum(each.skipped.values()):,}",
                each.reasons(),
            )
            for each in self.sets
        ]
        if len(rows) > 1:
            skipped = sum(sum(each.skipped.values()) for each in self.sets)
            together = (len(self.training), len(self.validation), skipped)
            rows.append(("together", *(f"{count:,}" for count in together), ""))
        rows.insert(0, ("dataset", "training", "validation", "skipped", ""))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        return "\n".join(
            f"{name:{widths[0]}}  {training:>{widths[1]}}  {validation:>{widths[2]}}  "
            f"{skipped:>{widths[3]}}  {why}".rstrip()
            for name, training, validation, skipped, why in rows
        )
