"""A dataset as it was found."""

from dataclasses import dataclass, field

from data.sources.picture_source import PictureSource


@dataclass(frozen=True)
class Dataset:
    """The pictures of a dataset.

    Attributes:
        name: str, what it is called in the table, as on the command line.
        training: the pictures to learn from.
        validation: the pictures to judge by, none of them in `training`.
        skipped: how many pictures are in neither, by the reason.
        words: what the names of classes mean, where these are ids and the dataset says it.
    """

    name: str
    training: PictureSource
    validation: PictureSource
    skipped: dict[str, int] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)

    def reasons(self) -> str:
        """How many pictures are left out and why, in one line."""
        return "; ".join(f"{count:,} {why}" for why, count in self.skipped.items() if count)
