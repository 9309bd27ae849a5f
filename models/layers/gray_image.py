"""The input of networks that were trained on color images."""

from typing import Any

import keras

from data.color.lab import lightness1_to_gray_rgb1


@keras.saving.register_keras_serializable("colorizer")
class GrayImage(keras.layers.Layer):
    """Converts lightness in [-1, 1] to a gray sRGB image in [0, 1] with three channels.

    Args:
        dtype: as in `keras.layers.Layer`. Defaults to `float32`, because half precision is too
            coarse for colors.
    """

    def __init__(self, dtype: Any = "float32", **kwargs: Any):
        super().__init__(dtype=dtype, **kwargs)

    def call(self, lightness):
        return lightness1_to_gray_rgb1(lightness)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)
