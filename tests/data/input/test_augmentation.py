"""Crops and rotations have the requested sizes and angles, seen in the batches they become."""

import numpy as np
import pytest
from PIL import Image

from data.color.lab import join_lab, lab1_to_rgb1
from data.input.batches import validation_batches
from tests.data.input.images import COLORS, colors_of, loader_of, stream, write_noise, write_solid


def test_images_are_whole_when_crops_are_off(tmp_path):
    files = write_noise(tmp_path, 1, 16, 16)
    images = stream(loader_of(files, tmp_path), 10, resolution=16, crop_scale=1.0, flip=False)
    np.testing.assert_array_equal(images, images[:1].repeat(20, axis=0))


def test_smallest_crop_has_the_requested_share_of_the_area(tmp_path):
    # On a ramp of 64 levels, the range of the levels in a crop is its side.
    levels = np.tile(np.arange(64, dtype="uint8")[:, None, None] * 4, (1, 64, 3))
    Image.fromarray(levels).save(tmp_path / "ramp.png")
    loader = loader_of([str(tmp_path / "ramp.png")], tmp_path, short_side=64)
    images = stream(loader, 50, resolution=64, crop_scale=0.25)
    gray = np.asarray(lab1_to_rgb1(images))[:, :, 0, 0] * 255.0 / 4.0
    sides = gray[:, -1] - gray[:, 0] + 1
    assert sides.min() >= 31.0
    assert sides.max() <= 64.5
    assert sides.max() - sides.min() > 20.0


def test_rotation_keeps_shape_and_range(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    images = stream(loader, 6, rotation=45.0)
    assert images.shape == (12, 8, 8, 3)
    assert np.isfinite(images).all()
    assert np.abs(images).max() <= 1.0


def test_rotation_turns_images(tmp_path):
    loader = loader_of(write_noise(tmp_path), tmp_path, short_side=24)
    assert (stream(loader, 2, rotation=20.0) != stream(loader, 2)).any()


def test_rotation_brings_in_no_color_from_outside(tmp_path):
    loader = loader_of(write_solid(tmp_path), tmp_path)
    images = stream(loader, 6, rotation=180.0)
    np.testing.assert_allclose(
        images, images.mean(axis=(1, 2), keepdims=True) + 0 * images, atol=1e-5
    )
    assert sorted(colors_of(images)) == sorted(list(range(6)) * 2)


@pytest.mark.parametrize("size", [(16, 32), (32, 16)])
def test_validation_shows_the_central_square(tmp_path, size):
    image = Image.new("RGB", size, COLORS[2])
    left, top = (size[0] - 16) // 2, (size[1] - 16) // 2
    image.paste(COLORS[0], (left, top, left + 16, top + 16))
    image.save(tmp_path / "a.png")
    loader = loader_of([str(tmp_path / "a.png")], tmp_path)
    ((lightness, ab),) = validation_batches(loader, 16, 1)
    rgb255 = np.asarray(lab1_to_rgb1(join_lab(lightness, ab))) * 255.0
    np.testing.assert_allclose(rgb255, np.full((1, 16, 16, 3), COLORS[0]), atol=0.1)


def test_validation_image_smaller_than_the_resolution_is_enlarged(tmp_path):
    loader = loader_of(write_solid(tmp_path, COLORS[:1], size=(5, 3)), tmp_path)
    ((lightness, ab),) = validation_batches(loader, 16, 1)
    assert lightness.shape == (1, 16, 16, 1)
    assert ab.shape == (1, 16, 16, 2)
