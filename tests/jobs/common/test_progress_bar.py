"""Bars are drawn where a line can be redrawn, and nowhere else."""

import io
import sys

import pytest

from jobs.common.progress_bar import can_draw_bars, progress_bar


class Terminal(io.TextIOWrapper):
    def __init__(self, encoding="utf-8"):
        super().__init__(io.BytesIO(), encoding)

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "name", "expected"),
    [
        (Terminal(), "xterm", True),
        (Terminal(), "dumb", False),
        # The bars of Keras have characters that it cannot show.
        (Terminal("ascii"), "xterm", False),
        (io.TextIOWrapper(io.BytesIO(), "utf-8"), "xterm", False),
    ],
)
def test_bars_need_a_terminal_that_can_show_them(monkeypatch, stream, name, expected):
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", name)
    assert can_draw_bars() == expected


def test_nothing_is_drawn_without_a_terminal(capsys):
    with progress_bar("counting", 3) as bar:
        bar.update(3)
    assert capsys.readouterr() == ("", "")
