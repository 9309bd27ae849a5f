"""Decoded training images on disk, so that no image is decoded twice, even in later runs."""

import os
import sqlite3
import threading
from pathlib import Path

import numpy as np

from data.image_io import READER_VERSION
from errors import InputError


class DiskCache:
    """Caches decoded images in one SQLite file, also for later runs.

    SQLite handles the hard parts: many readers, a crash in the middle of a write, random access.
    Images that another version of the reader has decoded are removed.

    Args:
        folder: the folder of the file. It is created.

    Raises:
        InputError: the folder cannot be written, or its file is not an SQLite database.
    """

    def __init__(self, folder: str | os.PathLike):
        self.path = Path(folder) / "images.sqlite"
        self._local = threading.local()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._create()
            # A file of that name with other contents fails here and not in the middle of training.
            self.get("")
        except (OSError, sqlite3.Error) as error:
            raise InputError(
                f"the cache {folder} cannot be used: {error}; give another folder"
            ) from error

    def get(self, key: str) -> np.ndarray | None:
        """The pixels saved under a key, uint8 of shape (height, width, 3), or None."""
        row = self._connection().execute(
            "SELECT height, width, pixels FROM images WHERE key = ?", (_bytes(key),)
        )
        for height, width, pixels in row:
            return np.frombuffer(pixels, "uint8").reshape(height, width, 3)
        return None

    def put(self, key: str, pixels: np.ndarray) -> None:
        """Saves pixels, uint8 of shape (height, width, 3)."""
        height, width, _ = pixels.shape
        with self._connection() as transaction:
            transaction.execute(
                "INSERT OR REPLACE INTO images VALUES (?, ?, ?, ?)",
                (_bytes(key), height, width, pixels.tobytes()),
            )

    def _create(self) -> None:
        connection = self._connection()
        # Several processes may start at once, and only one of them should remove the images.
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            [(version,)] = connection.execute("PRAGMA user_version")
            if version != READER_VERSION:
                connection.execute("DROP TABLE IF EXISTS images")
                connection.execute(f"PRAGMA user_version = {READER_VERSION}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS images"
                " (key BLOB PRIMARY KEY, height INTEGER, width INTEGER, pixels BLOB)"
            )

    def _connection(self) -> sqlite3.Connection:
        """The connection of this thread: SQLite needs one for each."""
        if not hasattr(self._local, "connection"):
            connection = sqlite3.connect(self.path, timeout=60)
            connection.execute("PRAGMA journal_mode=WAL")
            # In this mode a power failure may lose the last images but does not damage the file.
            connection.execute("PRAGMA synchronous=NORMAL")
            self._local.connection = connection
        return self._local.connection


def _bytes(key: str) -> bytes:
    """A key as bytes, because file names need not be valid text."""
    return key.encode("utf-8", "surrogateescape")
