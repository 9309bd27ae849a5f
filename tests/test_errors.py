"""Error messages are one printable line, whatever the file names in them."""

import os
import signal
from pathlib import Path

import pytest

from errors import (
    ColorizerError,
    DivergedError,
    InputError,
    InterruptedBySignalError,
    first_line,
    quoted,
    shown,
)


@pytest.mark.parametrize(
    "name", ["a.png", "in/two words.png", "Großmutter.jpg", "祖母.jpg", "🖼.png"]
)
def test_printable_name_is_shown_unchanged(name):
    assert shown(name) == shown(Path(name)) == shown(os.fsencode(name)) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"a\nb.png", r"a\nb.png"),
        (b"a\r\tb.png", r"a\r\tb.png"),
        # A terminal would clear the screen, ring, and write from right to left.
        (b"\x1b[2J.png", r"\x1b[2J.png"),
        (b"\x07.png", r"\x07.png"),
        ("\u202egnp.a".encode(), r"\u202egnp.a"),
        # A line break for Python, but not for a terminal.
        ("a\u2028b".encode(), r"a\u2028b"),
        (b"gro\xdfmutter.jpg", r"gro\xdfmutter.jpg"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"a\xffb\nc\xc3\xbc", r"a\xffb\ncü"),
    ],
)
def test_any_other_name_is_shown_as_one_printable_line(name, expected):
    for path in (name, os.fsdecode(name), Path(os.fsdecode(name))):
        text = shown(path)
        assert text == expected
        assert text.isprintable()
        assert len(text.splitlines()) == 1
        text.encode()


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("broken"), "broken"),
        (ValueError("broken\nat byte 7"), "broken"),
        (ValueError("broken\r\n"), "broken"),
        (ValueError(), "ValueError"),
        (KeyError("tag"), "'tag'"),
    ],
)
def test_the_first_line_of_an_error_is_never_empty(error, expected):
    assert first_line(error) == expected


def test_every_error_has_its_exit_status():
    assert InputError("").exit_status == 2
    assert DivergedError("").exit_status == 3
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        error = InterruptedBySignalError(number, "go on so")
        assert (error.exit_status, error.signal_number, str(error)) == (status, number, "go on so")
        assert isinstance(error, ColorizerError)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("weights/sagan", "weights/sagan"),
        (Path("my weights"), "'my weights'"),
        ("it's $HOME", "'it'\"'\"'s $HOME'"),
        ("a\nb", r"'a\nb'"),
    ],
)
def test_paths_in_commands_are_quoted(path, word):
    assert quoted(path) == word
