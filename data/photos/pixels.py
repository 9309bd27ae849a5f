"""Pages of photographs from pixels in memory."""

import numpy as np
import pyvips

from data.photos.metadata import PhotoMetadata
from data.photos.page import PhotoPage


def page_of_pixels(rgb255: np.ndarray) -> PhotoPage:
    """Makes a page from pixels, so that images of datasets are colored as photographs are.

    Args:
        rgb255: uint8 array of shape (height, width, 3).

    Example:
        page = page_of_pixels(np.zeros((32, 48, 3), "uint8"))
        small = page.shrunk(16, 24)
    """
    image = pyvips.Image.new_from_array(np.ascontiguousarray(rgb255), interpretation="srgb")
    return PhotoPage(lambda shrink: image, PhotoMetadata())
