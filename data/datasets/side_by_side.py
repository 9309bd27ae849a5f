"""Recognizes pairs of images side by side in one, as the datasets of pix2pix have them."""

import contextlib

from data.datasets.image_source import ImageSource
from data.image_io import open_with_pillow

# The number of images whose size is looked at.
_SAMPLE = 16


def warn_of_pairs(source: ImageSource) -> str | None:
    """A warning if images look like two squares side by side.

    Only the sizes of a few images are read.

    Args:
        source: `ImageSource`.
    """
    sizes = []
    for number in range(0, len(source), -(-len(source) // _SAMPLE) or 1):
        # A broken image is reported when it is read.
        with contextlib.suppress(Exception), open_with_pillow(source.file(number)) as image:
            sizes.append(image.size)
    if len(sizes) < 2 or any(width != 2 * height for width, height in sizes):
        return None
    width, height = sizes[0]
    return (
        f"the images are exactly twice as wide as high ({width} x {height}): if they are pairs "
        "side by side, as for pix2pix, cut out the half with the colors and give a folder of those"
    )
