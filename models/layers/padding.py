"""Layers that let a network with fixed strides take images of any size."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("colorizer")
class PadToMultiple(keras.layers.Layer):
    """Pads height and width to multiples of a number by repeating the last row and column.

    Unlike reflection, this works for images of any size, even a single pixel. Images of a suitable
    size are not changed.

    Args:
        multiple: int.
    """

    def __init__(self, multiple: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, inputs):
        _, height, width, _ = ops.shape(inputs)
        inputs = self._extend(inputs, height, axis=1)
        return self._extend(inputs, width, axis=2)

    def compute_output_shape(self, input_shape):
        def padded(side):
            return None if side is None else -(-side // self.multiple) * self.multiple

        batch, height, width, channels = input_shape
        return (batch, padded(height), padded(width), channels)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}

    def _extend(self, inputs, size, axis):
        if isinstance(size, int) and size % self.multiple == 0:
            return inputs
        padded = -(-size // self.multiple) * self.multiple
        return ops.take(inputs, ops.minimum(ops.arange(padded), size - 1), axis=axis)


@keras.saving.register_keras_serializable("colorizer")
class CropLike(keras.layers.Layer):
    """Crops the first of two inputs to the size of the second, to undo padding.

    Args:
        stride: int, how many times coarser the first input is: a side of n pixels of the second
            input becomes ceil(n / stride). Defaults to `1`.
    """

    def __init__(self, stride: int = 1, **kwargs: Any):
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, inputs):
        padded, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return padded[:, : self._strided(height), : self._strided(width)]

    def compute_output_shape(self, input_shape):
        padded, (batch, height, width, _) = input_shape
        sides = (None if side is None else self._strided(side) for side in (height, width))
        return (batch, *sides, padded[-1])

    def get_config(self):
        return {**super().get_config(), "stride": self.stride}

    def _strided(self, side):
        return -(-side // self.stride)
