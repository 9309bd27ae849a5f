"""A progress bar for preparatory work on many images."""

from tqdm import tqdm


def progress_bar(what: str, **options) -> tqdm:
    """A progress bar that disappears when the work is done, and is only drawn on a terminal.

    Args:
        what: str, a description of the work.
        **options: options of `tqdm`.
    """
    return tqdm(desc=what, unit="image", leave=False, dynamic_ncols=True, disable=None, **options)
