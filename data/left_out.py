"""The list of training pictures that are not used, and why."""

import os
import threading
from collections import Counter
from pathlib import Path

from errors import InputError

_HEADER = "picture\treason\tbytes\tmodified\n"


class LeftOut:
    """Remembers the pictures that were left out, across runs, and says when they are too many.

    The list is a file of tab-separated lines that a person can read. A picture on it is not
    tried again unless its file has changed since.

    Args:
        path: the list. Read when it exists; appended to.
        total: int, how many pictures the data set has; with more than half of them left out
            `add` raises.

    Example:
        left_out = LeftOut("logs/left_out.tsv", total=1000)
        left_out.add("broken.jpg", "not a picture, or of an unknown format")
        left_out.reason("broken.jpg")
    """

    def __init__(self, path: str | os.PathLike, total: int):
        self.path = Path(path)
        self.total = total
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}
        self._earlier = self._read()

    def reason(self, picture: str | os.PathLike) -> str | None:
        """Why the picture is left out, or None when it is not."""
        picture = str(picture)
        if picture in self._reasons:
            return self._reasons[picture]
        reason, *stamp = self._earlier.get(picture, (None,))
        if reason is not None and stamp == _stamp(picture):
            with self._lock:
                self._reasons[picture] = reason
            return reason
        return None

    def add(self, picture: str | os.PathLike, reason: str) -> None:
        """Leaves a picture out.

        Raises:
            InputError: more than half of the data set is left out now.
        """
        picture = str(picture)
        with self._lock:
            if picture in self._reasons:
                return
            self._reasons[picture] = reason
            self._append(picture, reason)
        self.raise_if_too_many()

    def raise_if_too_many(self) -> None:
        """Raises InputError when more than half of the data set is left out."""
        if 2 * len(self._reasons) > self.total:
            raise InputError(
                f"more than half of the pictures cannot be used: {self.summary()}; look at the "
                "list, lower --minimum_colorfulness, or give another --dataset"
            )

    def __len__(self) -> int:
        return len(self._reasons)

    def summary(self) -> str:
        """One line: how many, of how many, the commonest reasons, and where the list is."""
        kinds = Counter(reason.split(":")[0] for reason in self._reasons.values())
        counts = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(3))
        return f"{len(self)} of {self.total} left out ({counts}), listed in {self.path}"

    def _read(self) -> dict[str, tuple]:
        if not self.path.exists():
            return {}
        rows = (line.split("\t") for line in self.path.read_text("utf-8").splitlines()[1:])
        return {row[0]: tuple(row[1:]) for row in rows if len(row) == 4}

    def _append(self, picture: str, reason: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = "\t".join([picture, " ".join(reason.split()), *_stamp(picture)]) + "\n"
        with open(self.path, "a", encoding="utf-8", errors="surrogateescape") as file:
            if file.tell() == 0:
                file.write(_HEADER)
            file.write(row)


def _stamp(picture: str) -> list[str]:
    """What tells whether a file has changed: its size and its time."""
    try:
        status = os.stat(picture)
    except OSError:
        return ["", ""]
    return [str(status.st_size), str(status.st_mtime_ns)]
