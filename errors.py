"""The errors that end a job with one line: what was wrong, what was received, what to do.

Any module may raise them. Only `run.py` turns them into a line on standard error and an exit
status. Any other exception that reaches `run.py` is a bug.
"""

import os
import shlex


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its class if the message is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def shown(path: str | os.PathLike) -> str:
    """A file name as one printable line.

    Line breaks, other control characters and bytes that are not UTF-8 are escaped.
    """
    return _one_line(os.fsencode(path).decode("utf-8", "backslashreplace"))


def quoted(path: str | os.PathLike) -> str:
    """A file name as one printable word of a command for a shell."""
    return shlex.quote(shown(path))


def _one_line(text: str) -> str:
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


class ColorizerError(Exception):
    """Base class of the errors that are shown to the user as one line."""

    exit_status = 2

    def __str__(self) -> str:
        return _one_line(super().__str__())


class InputError(ColorizerError, ValueError):
    """Arguments, data, weights or an output path cannot be used: the job did not start.

    Below `jobs/` the message says what was received; the job adds which option to change.
    """


class DivergedError(ColorizerError):
    """A loss, gradient or weight became NaN or infinite; the last checkpoint is unchanged."""

    exit_status = 3


class LostWorkerError(ColorizerError):
    """Another worker of a training on several machines ended: this one cannot continue alone."""

    exit_status = 4


class InterruptedBySignalError(ColorizerError):
    """The user or the system stopped the program: no failure, and nothing is lost.

    Args:
        signal_number: int, the signal that was received. The exit status is 128 plus this number,
            as in a shell.
        message: str, what was saved and how to continue.
    """

    def __init__(self, signal_number: int, message: str):
        super().__init__(message)
        self.signal_number = signal_number
        self.exit_status = 128 + signal_number
