"""Remembers Ctrl-C, SIGTERM and SIGHUP until the work can stop cleanly."""

import os
import signal
import stat
from typing import Self

# Windows has no SIGHUP, which a terminal sends when it is closed.
_HANGUP = getattr(signal, "SIGHUP", None)


class SignalWatch:
    """Remembers a SIGINT, SIGTERM or SIGHUP instead of interrupting the work at once.

    A SIGHUP that is ignored, as after `nohup`, stays ignored. A SIGINT after the first signal
    raises `KeyboardInterrupt`.

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
        numbers = [signal.SIGINT, signal.SIGTERM]
        if _HANGUP and signal.getsignal(_HANGUP) != signal.SIG_IGN:
            numbers.append(_HANGUP)
        self._previous_handlers = {
            number: signal.signal(number, self._remember) for number in numbers
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
        try:
            os.write(2, f"\n{name}: finishing the work in progress ...\n".encode())
        except OSError:
            _forget_terminal()


def _forget_terminal() -> None:
    """Lets what is printed to a closed terminal vanish, because it would be an error."""
    with open(os.devnull, "w") as devnull:
        for descriptor in (1, 2):
            # Standard output may be a file, although standard error was the terminal.
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):
                os.dup2(devnull.fileno(), descriptor)
