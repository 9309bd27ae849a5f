"""The bar of work on many images that comes before what was asked for."""

from tqdm import tqdm


def progress_bar(what: str, **options) -> tqdm:
    """A bar that is gone when the work is done, and is not there at all in a file.

    Args:
        what: str, what is done.
        **options: of `tqdm`.
    """
    return tqdm(desc=what, unit="image", leave=False, dynamic_ncols=True, disable=None, **options)
