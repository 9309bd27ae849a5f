"""A dataset as it was found."""

from dataclasses import dataclass, field

from data.datasets.image_source import ImageSource


@dataclass(frozen=True)
class Dataset:
    """The images of a dataset.

    Attributes:
        name: str, what it is called in the table, as on the command line.
        training: the images to learn from.
        validation: the images to judge by, none of them in `training`.
        skipped: how many images are in neither, by the reason.
        words: what the names of classes mean, where these are ids and the dataset says it.
    """

    name: str
    training: ImageSource
    validation: ImageSource
    skipped: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def reasons(self) -> str:
        """How many images are left out and why, in one line."""
        return "; ".join(f"{count:,} {why}" for why, count in self.skipped.items() if count)
