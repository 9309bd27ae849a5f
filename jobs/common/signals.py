"""Remembers Ctrl-C and SIGTERM until the work can stop cleanly."""

import os
import signal
from typing import Self

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalWatch:
    """Remembers a SIGINT or SIGTERM instead of interrupting the work at once.

    A SIGINT after the first signal raises `KeyboardInterrupt`.

    Attributes:
        received: int or None, the number of the last signal that arrived.

    Example:
        from data.image_io import list_image_paths

        with SignalWatch() as watch:
            for path in list_image_paths("my_photographs"):
                print(path)
                if watch.received:
                    break
    """

    def __init__(self):
        self.received: int | None = None
        self._previous_handlers = {}

    def __enter__(self) -> Self:
        self._previous_handlers = {
            number: signal.signal(number, self._remember) for number in _SIGNALS
        }
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous_handlers.items():
            signal.signal(number, handler)

    def _remember(self, number, frame):
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number
        # `print` is not reentrant: the signal may have interrupted one.
        name = signal.Signals(number).name
        os.write(2, f"\n{name}: finishing the work in progress ...\n".encode())
