"""The version of the files that a training writes."""

from typing import Any

from errors import InputError

# Version 1 used other words: "snapshots", "pictures", "keeps_encoder_moments".
VERSION = 2


def check_version(found: Any, what: str) -> None:
    """Refuses a file that this program cannot read.

    Args:
        found: the version that stands in the file.
        what: str, the file, for the error.

    Raises:
        InputError: another version of this program wrote it.
    """
    if found == VERSION:
        return
    is_newer = isinstance(found, int) and found > VERSION
    advice = "update the program" if is_newer else "use the program that wrote it, or train again"
    raise InputError(
        f"{what} is of version {found}, and this program reads version {VERSION}; {advice}"
    )
