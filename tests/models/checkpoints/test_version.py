"""Files of other versions are refused with what to do."""

import pytest

from errors import InputError
from models.checkpoints.version import VERSION, check_version


def test_the_version_of_this_program_is_read():
    check_version(VERSION, "a.json")


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        (VERSION + 1, "update the program"),
        (VERSION - 1, "use the program that wrote it, or train again"),
        (None, "use the program that wrote it, or train again"),
        ("9", "use the program that wrote it, or train again"),
    ],
)
def test_other_versions_are_refused(found, advice):
    with pytest.raises(InputError) as error:
        check_version(found, "a.json")
    assert str(error.value) == (
        f"a.json has version {found!r}, but this program reads version {VERSION}; {advice}"
    )
