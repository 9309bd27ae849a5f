"""Layers that let a network with fixed strides take images of any size."""

import keras
from keras import ops


class PadToMultiple(keras.layers.Layer):
    """Pads height and width to multiples of a number by repeating the last row and column.

    Unlike reflection, this works for images of any size, even a single pixel. Images of a suitable
    size are not changed.

    Args:
        multiple: int.
    """

    def __init__(self, multiple, **kwargs):
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


class CropLike(keras.layers.Layer):
    """Crops the first of two inputs to the height and width of the second, to undo padding."""

    def call(self, inputs):
        padded, reference = inputs
        _, height, width, _ = ops.shape(reference)
        return padded[:, :height, :width]

    def compute_output_shape(self, input_shape):
        padded, reference = input_shape
        return (*reference[:3], padded[-1])
