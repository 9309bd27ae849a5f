"""Weights that ship color beside those of a job, each loaded once and only if it is asked for."""

import pytest

from config.settings import Settings
from errors import InputError
from inference.variants import VARIANTS
from jobs.common import pretrained_colorizers
from jobs.common.pretrained_colorizers import PretrainedColorizers, is_there, variants_beside
from models.checkpoints.folder import WeightsFolder


@pytest.fixture
def shipped(weights, here, monkeypatch):
    """Ships the weights of the tests as `sagan`, and no others."""
    (here / "sagan").symlink_to(weights)
    monkeypatch.setattr(pretrained_colorizers, "PRETRAINED_WEIGHTS", here)
    return here


@pytest.fixture
def loaded(monkeypatch):
    """The folders of the colorizers that are loaded, which are those folders themselves."""
    folders = []

    def load(folder, settings, precision):
        folders.append(folder.path)
        return folder.path

    monkeypatch.setattr(pretrained_colorizers, "load_colorizer", load)
    return folders


def test_the_colorizer_of_the_job_is_not_loaded_again(shipped, weights, loaded):
    own = object()
    assert PretrainedColorizers(Settings(), WeightsFolder(weights), own)("sagan") is own
    assert loaded == []


def test_others_are_loaded_once(shipped, hinted_weights, loaded):
    colorizers = PretrainedColorizers(Settings(), WeightsFolder(hinted_weights), object())
    assert colorizers("sagan") == colorizers("sagan")
    assert len(loaded) == 1


def test_weights_that_are_missing_are_an_input_error(shipped, weights, loaded):
    colorizers = PretrainedColorizers(Settings(), WeightsFolder(weights), object())
    with pytest.raises(InputError, match="the weights pix2pix are not at"):
        colorizers("pix2pix")
    assert not is_there(VARIANTS["pix2pix"])
    assert is_there(VARIANTS["sagan"])
    assert is_there(VARIANTS["vivid"])


def test_weights_are_no_variant_of_themselves_and_palettes_need_hints(
    shipped, weights, hinted_weights
):
    own, hinted = (
        {each.name for each in variants_beside(WeightsFolder(path))}
        for path in (weights, hinted_weights)
    )
    with_palette = {name for name, look in VARIANTS.items() if look.palette}
    assert with_palette
    assert own == VARIANTS.keys() - with_palette - {"sagan"}
    assert hinted == VARIANTS.keys()
