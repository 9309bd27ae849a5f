"""A photograph and exported networks that tests of several files share."""

import pytest
from PIL import Image
from skimage import data

from tests.jobs.export.exported import SIDE, export, require


@pytest.fixture(scope="session")
def gray(tmp_path_factory):
    """The path of a photograph in gray, not square."""
    path = tmp_path_factory.mktemp("photographs") / "gray.png"
    Image.fromarray(data.coffee()).convert("L").resize((300, 200)).save(path)
    return path


@pytest.fixture(scope="session")
def saved_model(weights, tmp_path_factory):
    """The folder of an exported SavedModel."""
    folder = tmp_path_factory.mktemp("exported")
    assert export(folder, "saved_model", "--weights", weights) == 0
    return folder / "saved_model"


@pytest.fixture(scope="session")
def exported(tmp_path_factory):
    """Returns a function that exports the default weights once and returns the folder."""
    root = tmp_path_factory.mktemp("exported")

    def make(name, quantize):
        require(name, quantize)
        folder = root / str(quantize)
        if not (folder / name).exists():
            option = ["--quantize"] if quantize else []
            assert export(folder, name, "--export_size", str(SIDE), *option) == 0
        return folder / name

    return make
