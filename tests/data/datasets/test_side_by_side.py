"""Pairs of images side by side are recognized by their sizes."""

import pytest
from PIL import Image

from data.datasets.image_files import ImageFiles
from data.datasets.side_by_side import warn_of_pairs


@pytest.mark.parametrize(
    ("sizes", "is_warned_of"),
    [
        ([(32, 16)] * 40, True),
        ([(32, 16), (64, 32)], True),
        ([(32, 16)] * 3 + [(33, 16)], False),
        ([(16, 32)] * 3, False),
        ([(32, 16)], False),
        ([], False),
    ],
)
def test_images_twice_as_wide_as_high_are_warned_of(tmp_path, sizes, is_warned_of):
    for number, size in enumerate(sizes):
        Image.new("L", size).save(tmp_path / f"{number}.png")
    (tmp_path / "broken.png").touch()
    names = [*(f"{number}.png" for number in range(len(sizes))), "broken.png"]
    warning = warn_of_pairs(ImageFiles(str(tmp_path), names))
    assert (warning is not None) == is_warned_of
