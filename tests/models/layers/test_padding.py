"""Padding to a multiple, and cropping it again."""

import keras
import numpy as np
import pytest

from models.layers.padding import CropLike, PadToMultiple


def image(height, width, channels=1):
    return np.arange(height * width * channels, dtype="float32").reshape(1, height, width, channels)


def test_repeats_the_last_row_and_column():
    padded = np.asarray(PadToMultiple(4)(image(2, 3)))[0, :, :, 0]
    np.testing.assert_array_equal(padded, [[0, 1, 2, 2], *[[3, 4, 5, 5]] * 3])


@pytest.mark.parametrize(
    ("size", "padded"), [((1, 1), (4, 4)), ((4, 8), (4, 8)), ((5, 4), (8, 4)), ((7, 9), (8, 12))]
)
def test_shapes(size, padded):
    layer = PadToMultiple(4)
    inputs = image(*size, channels=2)
    assert layer(inputs).shape == (1, *padded, 2)
    assert layer.compute_output_shape((None, *size, 2)) == (None, *padded, 2)
    assert layer.weights == []


def test_images_of_the_right_size_are_unchanged():
    inputs = keras.ops.convert_to_tensor(image(4, 8))
    np.testing.assert_array_equal(PadToMultiple(4)(inputs), inputs)


def test_crop_undoes_padding_of_any_size():
    inputs = keras.Input((None, None, 2))
    padded = PadToMultiple(4)(inputs)
    model = keras.Model(inputs, CropLike()([padded, inputs]))
    assert padded.shape == (None, None, None, 2)
    assert model.output_shape == (None, None, None, 2)
    for size in ((1, 1), (5, 7), (8, 4)):
        np.testing.assert_array_equal(
            model.predict(image(*size, channels=2), verbose=0), image(*size, channels=2)
        )


def test_crop_keeps_the_channels_of_its_first_input():
    layer = CropLike()
    assert layer([image(8, 8, channels=3), image(5, 7)]).shape == (1, 5, 7, 3)
    assert layer.compute_output_shape([(None, 8, 8, 3), (None, 5, 7, 1)]) == (None, 5, 7, 3)


@pytest.mark.parametrize(
    ("size", "cropped"), [((8, 8), (2, 2)), ((5, 1), (2, 1)), ((9, 4), (3, 1))]
)
def test_crop_of_coarser_pixels_covers_the_image(size, cropped):
    layer = CropLike(4)
    assert layer([image(8, 8), image(*size)]).shape[1:3] == cropped
    assert layer.compute_output_shape([(1, 8, 8, 1), (1, *size, 1)]) == (1, *cropped, 1)
    assert layer.compute_output_shape([(1, 8, 8, 1), (1, None, 9, 1)]) == (1, None, 3, 1)


def test_config_round_trip():
    layer = PadToMultiple(16, name="pad")
    copy = PadToMultiple.from_config(layer.get_config())
    assert (copy.multiple, copy.name) == (16, "pad")
    assert CropLike.from_config(CropLike(4).get_config()).stride == 4
