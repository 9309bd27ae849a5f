"""The errors that end a job with one line: what was wrong, what was received, what to do.

Every floor of the house may raise them; `run.py` alone turns them into a line on standard error
and an exit status. Any other exception that reaches `run.py` is a defect of ours.
"""

import os


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or its kind when it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def shown(path: str | os.PathLike) -> str:
    """A file's name as one line that can be printed anywhere.

    Line breaks, other control characters and bytes that are not UTF-8 are escaped.
    """
    return _one_line(os.fsencode(path).decode("utf-8", "backslashreplace"))


def _one_line(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class ColorizerError(Exception):
    """Base of the errors that are shown to a person as one line."""

    exit_status = 2

    def __str__(self) -> str:
        return _one_line(super().__str__())


class InputError(ColorizerError):
    """Arguments, data, weights or an output place that cannot be used: nothing was begun."""


class DivergedError(ColorizerError):
    """A loss became NaN or infinite: training stopped, the last good checkpoint is untouched."""

    exit_status = 3


class LostWorkerError(ColorizerError):
    """Another worker of a training on several machines ended: this one cannot go on alone."""

    exit_status = 4


class InterruptedBySignalError(ColorizerError):
    """A person or the system asked the program to stop: no failure, and nothing is lost.

    Args:
        signal_number: int, the signal that arrived; the exit status is 128 + it, as in a shell.
        message: str, what was kept and how to go on.
    """

    def __init__(self, signal_number: int, message: str):
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_status = 128 + signal_number
