"""Pages are made from pixels in memory."""

import numpy as np

from data.photos.pixels import page_of_pixels


def test_page_is_the_image():
    # Not contiguous, like a part of a batch.
    rgb255 = np.random.default_rng(0).integers(0, 256, (3, 7, 10, 9), "uint8")[:, :, ::2, ::-3][1]
    page = page_of_pixels(rgb255)
    assert (page.height, page.width, page.depth, page.has_alpha) == (7, 5, 8, False)
    # The strips can be read repeatedly.
    for _ in range(2):
        [(colors, alpha)] = page.strips()
        np.testing.assert_array_equal(colors, rgb255)
        assert alpha is None
    assert page.shrunk(3, 2).shape == (3, 2, 3)
    np.testing.assert_array_equal(page.shrunk(7, 5), rgb255)
