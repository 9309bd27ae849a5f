"""A progress bar for work on many images."""

from tqdm import tqdm


def progress_bar(what: str, total: int | None = None, leave: bool = False) -> tqdm:
    """A progress bar that is only drawn on a terminal.

    Args:
        what: str, a description of the work.
        total: int or None, the number of images. Defaults to `None`, unknown.
        leave: bool, whether the bar stays when the work is done. Defaults to `False`.
    """
    return tqdm(desc=what, total=total, leave=leave, unit="image", dynamic_ncols=True, disable=None)
