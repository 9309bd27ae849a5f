"""The version of the files that a training writes."""

from typing import Any

from errors import InputError

# Version 1 used other names: "snapshots", "pictures", "keeps_encoder_moments".
VERSION = 2


def check_version(found: Any, what: str) -> None:
    """Checks that a file has the version that this program reads.

    Args:
        found: the version in the file.
        what: str, the file, for the error message.

    Raises:
        InputError: the file has another version.
    """
    if found == VERSION:
        return
    is_newer = isinstance(found, int) and found > VERSION
    advice = "update the program" if is_newer else "use the program that wrote it, or train again"
    raise InputError(
        f"{what} has version {found!r}, but this program reads version {VERSION}; {advice}"
    )
