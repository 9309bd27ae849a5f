"""The images of one dataset."""

from dataclasses import dataclass, field

from data.datasets.image_source import ImageSource


@dataclass(frozen=True)
class Dataset:
    """The images of one dataset.

    Attributes:
        name: str, the name shown in the table, usually as on the command line.
        training: `ImageSource`, the training images.
        validation: `ImageSource`, the validation images, disjoint from `training`.
        skipped: dict from reason to the number of images that are skipped for it.
        words: dict from class id to its meaning. Empty if the dataset does not define any.
        notes: tuple of str, lines that say how the images were found.
        warnings: tuple of str, lines that say what may be wrong with the images.
    """

    name: str
    training: ImageSource
    validation: ImageSource
    skipped: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def reasons(self) -> str:
        """Returns one line with the number of skipped images for each reason."""
        return "; ".join(f"{count:,} {why}" for why, count in self.skipped.items() if count)
