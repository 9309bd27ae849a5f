"""The commonest colors of training images, beside weights."""

import numpy as np
import pytest
from PIL import Image
from skimage import color

from errors import InputError
from jobs.export import common_colors
from models.checkpoints.folder import WeightsFolder


@pytest.fixture
def folder(tmp_path):
    folder = WeightsFolder(tmp_path / "weights")
    folder.path.mkdir()
    folder.write_settings({"model": "sagan", "architecture": {}})
    return folder


@pytest.fixture
def images(tmp_path):
    """A folder of images of one color, and one that is broken."""
    path = tmp_path / "images"
    path.mkdir()
    for number in range(10):
        Image.fromarray(np.full((40, 60, 3), (180, 60, 50), "uint8")).save(path / f"{number}.png")
    (path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return path


def test_colors_of_training_images_are_kept_beside_weights(folder, images, capsys):
    assert folder.read_common_colors() is None
    assert common_colors.main([str(folder.path), str(images)]) == 0
    found = folder.read_common_colors()
    lightness, *ab = color.rgb2lab(np.array([180, 60, 50]) / 255)
    assert 40 < lightness < 50
    assert [len(band) for band in found] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    np.testing.assert_allclose(found[4], [ab], atol=0.1)
    assert "1 images" in capsys.readouterr().err


@pytest.mark.parametrize("broken", ["{", "[]", '{"a": 1}', "[[[1]],[],[],[],[],[],[],[],[],[]]"])
def test_damaged_file_is_named(folder, broken):
    (folder.path / "common_colors.json").write_text(broken)
    with pytest.raises(InputError, match=r"common_colors\.json cannot be read"):
        folder.read_common_colors()


def test_folder_without_weights_or_dataset_is_one_line(folder, images, tmp_path, capsys):
    assert common_colors.main([str(tmp_path / "no"), str(images)]) == 2
    assert common_colors.main([str(folder.path), str(tmp_path / "no")]) == 2
    assert capsys.readouterr().err.count("\n") == 2


def test_shipped_weights_have_the_colors_of_their_training_images():
    found = WeightsFolder("weights/pretrained/sagan").read_common_colors()
    assert all(len(band) >= 5 for band in found)
