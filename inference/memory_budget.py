"""Keeps large photographs from being in memory together."""

import contextlib
import threading
from collections.abc import Iterator


class MemoryBudget:
    """Lets work begin while what is in work stays below a number of bytes.

    What alone is larger is let in when nothing else is in work.

    Args:
        limit: int, bytes.

    Example:
        with budget.share(photo_size):
            work()
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def share(self, size: int) -> Iterator[None]:
        """Waits until there is room for `size` bytes, and holds them during the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + size <= self._limit)
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()
