"""The photographs on the page, and how far each is."""

import secrets
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from data.image_io import IMAGE_SUFFIXES
from inference.hints_file import HintsFile

State = Literal["waiting", "coloring", "ready", "failed"]
WAITING: State = "waiting"
COLORING: State = "coloring"
READY: State = "ready"
FAILED: State = "failed"

# Names of photographs that were dropped for others, which the page tells.
_REMEMBERED = 20


@dataclass(eq=False)
class Photo:
    """A photograph on the page.

    Attributes:
        id: str, which cannot be guessed.
        name: str, its file name, only to be shown.
        path: `Path` of its file, in a folder of its own.
        sizes: list of tuples of the width and the height of each upright page.
        notes: list of str, what a person should know of it.
        edits: `HintsFile`, what was touched up.
        revision: int, raised by every change of `edits`.
        state: str, `WAITING`, `COLORING`, `READY` or `FAILED`.
        error: str, why it failed.
        is_in_color: bool, whether it had colors already.
        takes_palette: bool, whether the weights that color it take a palette.
        bytes: int, the size of its file.
        touched: float, when it was last asked for.
    """

    id: str
    name: str
    path: Path
    sizes: list[tuple[int, int]]
    notes: list[str]
    bytes: int
    edits: HintsFile = field(default_factory=HintsFile)
    revision: int = 0
    state: State = WAITING
    error: str = ""
    is_in_color: bool = False
    takes_palette: bool = False
    touched: float = field(default_factory=time.monotonic)


class Photos:
    """Keeps photographs in a folder, at most so many of so many bytes.

    Args:
        folder: `Path`, the private folder.
        most: int, the largest number of photographs.
        most_bytes: int, the largest sum of the sizes of their files and of those that arrive.
        on_drop: function of a `Photo` that is dropped or removed.
    """

    def __init__(self, folder: Path, most: int, most_bytes: int, on_drop: Callable[[Photo], None]):
        self.dropped: deque[Photo] = deque(maxlen=_REMEMBERED)
        self._folder = folder
        self._most = most
        self._most_bytes = most_bytes
        self._on_drop = on_drop
        self._photos: dict[str, Photo] = {}
        self._arriving: dict[Path, int] = {}
        self._lock = threading.Lock()

    def new_path(self) -> Path:
        """A path for a file to come, in a new folder of its own."""
        folder = self._folder / secrets.token_urlsafe(16)
        folder.mkdir(mode=0o700)
        return folder / "photograph"

    def count(self, path: Path, received: int) -> bool:
        """Counts bytes of a file that arrives; photographs untouched longest make room.

        Args:
            path: `Path` from `new_path`.
            received: int, the bytes since the last call.

        Returns:
            Whether there is room for them.
        """
        with self._lock:
            self._arriving[path.parent] = self._arriving.get(path.parent, 0) + received
            self._make_room()
            return sum(self._arriving.values()) <= self._most_bytes

    def discard(self, path: Path) -> None:
        """Removes a file from `new_path`, with its folder."""
        self._arriving.pop(path.parent, None)
        shutil.rmtree(path.parent, ignore_errors=True)

    def add(self, path: Path, name: str, sizes: list[tuple[int, int]], notes: list[str]) -> Photo:
        """Adds a photograph whose file has arrived; those untouched longest make room.

        Args:
            path: `Path` from `new_path`.
            name: str, the name of the file where it came from.
            sizes, notes: as in `Photo`.
        """
        photo = Photo(path.parent.name, name, path, sizes, notes, path.stat().st_size)
        with self._lock:
            self._arriving.pop(path.parent, None)
            self._make_room(photo.bytes, 1)
            self._photos[photo.id] = photo
        return photo

    def every(self) -> list[Photo]:
        """All photographs in the order in which they came."""
        with self._lock:
            return list(self._photos.values())

    def find(self, id: str) -> Photo | None:
        """The photograph with this id, which counts as touched."""
        photo = self._photos.get(id)
        if photo:
            photo.touched = time.monotonic()
        return photo

    def remove(self, photo: Photo) -> None:
        """Removes a photograph and its file."""
        with self._lock:
            if photo.id in self._photos:
                self._without(photo)

    def _make_room(self, new_bytes: int = 0, new: int = 0) -> None:
        by_age = sorted(self._photos.values(), key=lambda each: each.touched)
        total = new_bytes + sum(each.bytes for each in by_age) + sum(self._arriving.values())
        while by_age and (len(by_age) + new > self._most or total > self._most_bytes):
            oldest = by_age.pop(0)
            total -= oldest.bytes
            self.dropped.append(self._without(oldest))

    def _without(self, photo: Photo) -> Photo:
        del self._photos[photo.id]
        self.discard(photo.path)
        self._on_drop(photo)
        return photo


def with_suffix_of(path: Path, name: str) -> Path:
    """Renames a file so that it ends as `name` does, if that is a known suffix of images.

    Only the suffix is taken from a name that a browser sent, and only if it is one of a few.
    """
    suffix = Path(name).suffix.lower()
    return path.rename(path.with_suffix(suffix)) if suffix in IMAGE_SUFFIXES else path
