"""The list of training images that are not used, and why."""

import csv
import os
import threading
from collections import Counter
from pathlib import Path
from typing import NoReturn

from errors import InputError

NO_COLOR = "no color"
OTHER_SHAPE = "another shape"
# What does not depend on the file alone is measured again in every run.
_MEASURED_AGAIN = (NO_COLOR, OTHER_SHAPE)

_ADVICE = "look at the list, lower --minimum_colorfulness, or give another --dataset"

_HEADING = ("image", "reason", "bytes", "modified")


class SkippedImages:
    """Remembers the images that were left out, across runs, and says when they are too many.

    The list is a file of tab-separated lines that a person can read. An image on it is not
    tried again in the same run, nor in a later one unless its file has changed since; one that
    was left out for its lack of color or for its shape is measured again, for the bound, or the
    image that it is compared with, may be another.

    Args:
        path: the list. Read when it exists; appended to.
        total: int, how many images the dataset has; with more than half of them left out
            `add` and `reason` raise.
        advice: str, what that error tells a person to do.

    Attributes:
        failure: the `InputError` that ended the reading of images, or None. `tf.data` wraps it
            in an error of its own.

    Raises:
        InputError: the list cannot be read.

    `reason` and `add` take the image's name, and the file that holds it where that is another.

    Example:
        skipped = SkippedImages("logs/skipped_images.tsv", total=1000)
        skipped.add("broken.jpg", "not an image, or of an unknown format")
        skipped.reason("broken.jpg")
    """

    def __init__(self, path: str | os.PathLike, total: int, advice: str = _ADVICE):
        self.path = Path(path)
        self.total = total
        self.advice = advice
        self.failure: InputError | None = None
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}
        self._earlier = self._read()

    def reason(self, image: str | os.PathLike, file: str | None = None) -> str | None:
        """Why the image is left out, or None when it is not.

        Raises:
            InputError: more than half of the dataset is left out.
        """
        image = str(image)
        if image not in self._reasons:
            reason, *stamp = self._earlier.get(image, (NO_COLOR,))
            if reason.startswith(_MEASURED_AGAIN) or stamp != _stamp(file or image):
                return None
            with self._lock:
                self._reasons[image] = reason
        self.raise_if_too_many()
        return self._reasons[image]

    def add(self, image: str | os.PathLike, reason: str, file: str | None = None) -> None:
        """Leaves an image out.

        Raises:
            InputError: more than half of the dataset is left out now.
        """
        image = str(image)
        with self._lock:
            if image in self._reasons:
                return
            self._reasons[image] = reason
            self._append(image, (" ".join(reason.split()), *_stamp(file or image)))
        self.raise_if_too_many()

    def raise_if_too_many(self) -> None:
        """Raises InputError when more than half of the dataset is left out."""
        if 2 * len(self._reasons) > self.total:
            self.fail("more than half of the images cannot be used")

    def fail(self, what: str) -> NoReturn:
        """Raises InputError with a summary, and remembers it as `failure`."""
        self.failure = self.failure or InputError(f"{what}: {self.summary()}; {self.advice}")
        raise self.failure

    def __len__(self) -> int:
        return len(self._reasons)

    def summary(self) -> str:
        """One line: how many, of how many, the commonest reasons, and where the list is."""
        kinds = Counter(reason.split(":")[0] for reason in self._reasons.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
        return f"{len(self)} of {self.total} skipped ({counts}), listed in {self.path}"

    def _read(self) -> dict[str, tuple]:
        try:
            with self._open("r") as file:
                rows = list(csv.reader(file, _Table))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, csv.Error) as error:
            raise InputError(
                f"{self.path}, the list of images left out, cannot be read: {error}; remove it"
            ) from error
        return {row[0]: tuple(row[1:]) for row in rows[1:] if len(row) == len(_HEADING)}

    def _append(self, image: str, row: tuple[str, ...]) -> None:
        if self._earlier.get(image) == row:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self._open("a") as file:
            table = csv.writer(file, _Table)
            if file.tell() == 0:
                table.writerow(_HEADING)
            table.writerow((image, *row))

    def _open(self, mode: str):
        # File names need not be valid text.
        return open(self.path, mode, encoding="utf-8", errors="surrogateescape", newline="")


class _Table(csv.excel_tab):
    lineterminator = "\n"


def _stamp(image: str) -> list[str]:
    """What tells whether a file has changed: its size and its time."""
    try:
        status = os.stat(image)
    except OSError:
        return ["", ""]
    return [str(status.st_size), str(status.st_mtime_ns)]
