"""A zip that is sent while it is made."""

import io
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path


def streamed_zip(files: Iterable[tuple[str, Iterable[bytes]]]) -> Iterator[bytes]:
    """Makes a zip without keeping it anywhere.

    Args:
        files: iterable of tuples of a name and the contents in blocks. A name that is taken, also
            on systems without upper and lower case, gets a number.

    Yields:
        The bytes of the zip. Photographs are compressed already, so nothing is compressed.
    """
    pipe, taken = _Pipe(), set[str]()
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, blocks in files:
            entry = zipfile.ZipInfo(_untaken(name, taken), time.localtime()[:6])
            with archive.open(entry, "w", force_zip64=True) as file:
                for block in blocks:
                    file.write(block)
                    yield pipe.take()
    yield pipe.take()


class _Pipe(io.RawIOBase):
    """Keeps what a zip writes until it is sent on; it cannot be rewound."""

    def __init__(self):
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._written)
        self._written.clear()
        return taken


def _untaken(name: str, taken: set[str]) -> str:
    path, number, free = Path(name), 1, name
    while free.lower() in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    taken.add(free.lower())
    return free
