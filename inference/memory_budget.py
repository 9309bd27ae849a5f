"""Keeps large photographs from being in memory at the same time."""

import contextlib
import threading
from collections.abc import Iterator


class MemoryBudget:
    """Limits the memory of the work in progress on several threads.

    Work that alone exceeds the limit starts once nothing else is in progress.

    Args:
        limit: int, bytes.

    Example:
        budget = MemoryBudget(2**29)
        with budget.share(3 * 4000 * 6000):
            pixels = np.empty((4000, 6000, 3), "uint8")
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def share(self, size: int) -> Iterator[None]:
        """Waits until `size` bytes are within the limit, and reserves them during the block."""
        with self._changed:
            self._changed.wait_for(lambda: not self._used or self._used + size <= self._limit)
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()
