"""A colorizer, a folder of weights and photographs that tests of several files share."""

import numpy as np
import pytest
import pyvips

from data.photos.file import PhotoFile
from inference.photo_colorizer import PhotoColorizer
from models.checkpoints.folder import WeightsFolder
from models.sagan import SAGAN
from tests.inference.red import RENDER_SIZE, ConstantColors


# Shared by all tests, because each colorizer is compiled anew.
@pytest.fixture(scope="session")
def a_little_red():
    return PhotoColorizer(ConstantColors(), RENDER_SIZE)


@pytest.fixture
def page_of(tmp_path):
    def write(pixels, name="photograph.png"):
        height, width, channels = pixels.shape
        kinds = ("b-w", "srgb") if pixels.dtype == np.uint8 else ("grey16", "rgb16")
        image = pyvips.Image.new_from_array(np.ascontiguousarray(pixels))
        image.copy(interpretation=kinds[channels > 2]).write_to_file(str(tmp_path / name))
        [page] = PhotoFile(tmp_path / name).pages
        assert (page.height, page.width, page.depth) == (height, width, 8 * pixels.itemsize)
        return page

    return write


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory):
    """A folder of weights of a tiny untrained network."""
    found = WeightsFolder(tmp_path_factory.mktemp("weights"))
    architecture = {"filters": 2, "depth": 2, "discriminator_filters": 2, "color_stride": 4}
    architecture = SAGAN(**architecture).architecture
    found.write_settings({"model": "sagan", "architecture": architecture, "render_size": 32})
    found.save_generator(SAGAN.build_generator(architecture))
    return found.path
