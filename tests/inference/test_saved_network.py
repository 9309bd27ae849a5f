"""The network of a folder of weights is built as its settings say."""

import pytest

from errors import InputError
from inference.photo_colorizer import PhotoColorizer
from inference.saved_network import SavedNetwork
from models.checkpoints.folder import WeightsFolder


def test_network_is_built_as_the_settings_say(tiny_weights):
    saved = SavedNetwork.read(tiny_weights)
    assert (saved.model, saved.side, saved.color_stride) == ("sagan", 32, 4)
    assert not saved.has_hints
    assert saved.build().output_shape == (None, None, None, 2)
    assert SavedNetwork.read(tiny_weights, side=64).side == 64


@pytest.mark.parametrize("missing", ["model", "render_size"])
def test_settings_without_a_network_are_an_input_error(tiny_weights, tmp_path, missing):
    saved = WeightsFolder(tiny_weights).read_settings()
    del saved[missing]
    found = WeightsFolder(tmp_path)
    found.write_settings(saved)
    with pytest.raises(
        InputError, match=f"does not describe a network of this program: .{missing}"
    ):
        SavedNetwork.read(tmp_path)


def test_a_folder_that_cannot_be_used_is_an_input_error(tiny_weights, tmp_path):
    with pytest.raises(InputError, match="not a folder of weights"):
        PhotoColorizer.from_folder(tmp_path)
    with pytest.raises(InputError, match="received 67; give a render_size of 64"):
        PhotoColorizer.from_folder(tiny_weights, render_size=67)
