"""Pixels in memory as a page of a photograph."""

import numpy as np
import pyvips

from data.photos.metadata import PhotoMetadata
from data.photos.page import PhotoPage


def page_of_pixels(rgb255: np.ndarray) -> PhotoPage:
    """A page that is in no file: images of datasets are colored on the way of photographs.

    Args:
        rgb255: uint8 array of shape (height, width, 3).
    """
    image = pyvips.Image.new_from_array(np.ascontiguousarray(rgb255), interpretation="srgb")
    return PhotoPage(lambda shrink: image, PhotoMetadata())
