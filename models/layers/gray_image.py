"""The input of networks that were trained on color images."""

import keras

from data.color.lab import lightness1_to_gray_rgb1


class GrayImage(keras.layers.Layer):
    """Converts lightness in [-1, 1] to a gray sRGB image in [0, 1] with three channels."""

    def __init__(self, **kwargs):
        super().__init__(dtype="float32", **kwargs)

    def call(self, lightness):
        return lightness1_to_gray_rgb1(lightness)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)
