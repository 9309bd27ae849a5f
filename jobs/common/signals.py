"""Ctrl-C and SIGTERM, remembered until it is a good moment to stop."""

import os
import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class SignalWatch:
    """Remembers the first SIGINT or SIGTERM instead of breaking off the work at once.

    A second SIGINT interrupts at once.

    Attributes:
        received: int or None, the signal that arrived.

    Example:
        with SignalWatch() as watch:
            for photograph in photographs:
                if watch.received:
                    break
    """

    def __init__(self):
        self.received: int | None = None
        self._earlier = {}

    def __enter__(self):
        self._earlier = {number: signal.signal(number, self._remember) for number in _SIGNALS}
        return self

    def __exit__(self, *error):
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def _remember(self, number, frame):
        if self.received and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.received = number
        # Not `print`: the signal may have come in the middle of one.
        os.write(2, f"\n{signal.Signals(number).name}: finishing what is in work ...\n".encode())
