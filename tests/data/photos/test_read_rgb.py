"""Large images are read strip by strip, as the same pixels."""

import numpy as np
import pytest
from PIL import Image

from data.photos.read_rgb import read_rgb


@pytest.mark.parametrize("alpha", [None, 128])
def test_large_images_are_shrunk_without_a_copy_of_all_pixels(tmp_path, alpha):
    # One and a half of the largest images that are decoded as a whole.
    colors = Image.new("RGB", (10_000, 5_000), (200, 40, 0))
    colors.paste((0, 80, 160), (0, 0, 5_000, 2_500))
    expected = np.asarray(colors.resize((60, 30), Image.Resampling.BICUBIC)).astype(float)
    if alpha is not None:
        colors.putalpha(alpha)
        expected = expected * alpha / 255 + 255 - alpha
    colors.save(tmp_path / "a.png", compress_level=1)
    pixels = read_rgb(tmp_path / "a.png", 30)
    assert pixels.shape == (30, 60, 3)
    # The filters differ at the edges.
    inner = np.abs(pixels - expected)[np.ix_([3, 10, 18, 27], [3, 20, 34, 55])]
    assert inner.max() <= 1
