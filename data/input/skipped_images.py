"""The list of skipped images and the reasons."""

import csv
import os
import threading
from collections import Counter
from pathlib import Path
from typing import NoReturn

from data.image_io import READER_VERSION
from errors import InputError

NO_COLOR = "no color"
OTHER_SHAPE = "another shape"
# These reasons depend on more than the file, so they are checked again in every run.
_CHECKED_AGAIN = (NO_COLOR, OTHER_SHAPE)

_HEADING = ("image", "reason", "bytes", "modified", f"reader {READER_VERSION}")


class SkippedImages:
    """Remembers the skipped images, also for later runs, and raises an error if there are too many.

    The list is a file of tab-separated lines that a person can read. A listed image is not tried
    again in the same run, nor in later runs unless its file has changed. An image that was skipped
    because of its color or shape is checked again in each run, because the threshold, or the image
    that it is compared with, may have changed. A list of another version of the reader is begun
    anew.

    The methods `reason` and `add` take the name of an image, and the path of its file if that is
    not the name.

    Args:
        path: the list. An existing list is read, and new lines are appended.
        total: int, the number of images in the dataset; if more than half of them are skipped,
            `add` and `reason` raise an error.
        advice: str, the end of that error message, which tells what to do. Defaults to
            `"look at the list"`.

    Attributes:
        failure: `InputError` or None, the error that ended the reading of images. `tf.data` wraps
            it in an error of its own.

    Raises:
        InputError: the list cannot be read.

    Example:
        skipped = SkippedImages("logs/skipped_images.tsv", total=1000)
        skipped.add("broken.jpg", "not an image, or of an unknown format")
        print(skipped.reason("broken.jpg"))
        print(skipped.summary())
    """

    def __init__(self, path: str | os.PathLike, total: int, advice: str = "look at the list"):
        self.path = Path(path)
        self.total = total
        self.advice = advice
        self.failure: InputError | None = None
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}
        self._earlier = self._read()

    def reason(self, image: str | os.PathLike, file: str | None = None) -> str | None:
        """Why an image is skipped, or None if it is not.

        Raises:
            InputError: more than half of the dataset is skipped.
        """
        image = str(image)
        if image not in self._reasons:
            reason, *stamp = self._earlier.get(image, (NO_COLOR,))
            if reason.startswith(_CHECKED_AGAIN) or stamp != _stamp(file or image):
                return None
            with self._lock:
                self._reasons[image] = reason
        self.raise_if_too_many()
        return self._reasons[image]

    def add(self, image: str | os.PathLike, reason: str, file: str | None = None) -> None:
        """Adds an image to the list.

        Raises:
            InputError: more than half of the dataset is now skipped.
        """
        image = str(image)
        with self._lock:
            if image in self._reasons:
                return
            self._reasons[image] = reason
            self._append(image, (" ".join(reason.split()), *_stamp(file or image)))
        self.raise_if_too_many()

    def raise_if_too_many(self) -> None:
        """Raises an `InputError` if more than half of the dataset is skipped."""
        if 2 * len(self._reasons) > self.total:
            self.fail("more than half of the images cannot be used")

    def fail(self, what: str) -> NoReturn:
        """Raises an `InputError` with a summary, and saves it as `failure`."""
        self.failure = self.failure or InputError(f"{what}: {self.summary()}; {self.advice}")
        raise self.failure

    def __len__(self) -> int:
        return len(self._reasons)

    def summary(self) -> str:
        """One line: the number of skipped images, the most common reasons, the path of the list."""
        kinds = Counter(reason.split(":")[0] for reason in self._reasons.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
        return f"{len(self)} of {self.total} skipped ({counts}), listed in {self.path}"

    def _read(self) -> dict[str, tuple]:
        try:
            with self._open("r") as file:
                rows = list(csv.reader(file, _Table))
            if rows and tuple(rows[0]) != _HEADING:
                self.path.unlink()
                return {}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, csv.Error) as error:
            raise InputError(
                f"{self.path}, the list of skipped images, cannot be read: {error}; remove it"
            ) from error
        return {row[0]: tuple(row[1:]) for row in rows[1:] if len(row) == len(_HEADING) - 1}

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
    """The size and the modification time of a file, which tell whether it has changed."""
    try:
        status = os.stat(image)
    except OSError:
        return ["", ""]
    return [str(status.st_size), str(status.st_mtime_ns)]
