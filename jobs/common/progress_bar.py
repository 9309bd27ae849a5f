"""A progress bar for work on many images."""

import os
import sys

from tqdm import tqdm


def can_draw_bars() -> bool:
    """Whether standard output is a terminal that can redraw a line and show the bars of Keras."""
    try:
        "\u2501".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def progress_bar(what: str, total: int | None = None, leave: bool = False) -> tqdm:
    """A progress bar that is only drawn on a terminal.

    Args:
        what: str, a description of the work.
        total: int or None, the number of images. Defaults to `None`, unknown.
        leave: bool, whether the bar stays when the work is done. Defaults to `False`.
    """
    return tqdm(desc=what, total=total, leave=leave, unit="image", dynamic_ncols=True, disable=None)
