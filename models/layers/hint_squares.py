"""Hints at the size of a network's features."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("colorizer")
class HintSquares(keras.layers.Layer):
    """Averages hints over squares of pixels.

    The input has the shape (batch, height, width, 3): ab, and how much each pixel is hinted, from 0
    to 1. The output has the shape (batch, height / side, width / side, 3), float32: the mean ab of
    what is hinted in each square, 0 if nothing is, and the hinted share of the square. Height and
    width are multiples of `side`.

    Args:
        side: int.
    """

    def __init__(self, side: int, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.side = side

    def call(self, hints):
        ab, share = hints[..., :2], hints[..., 2:]
        pooled = ops.average_pool(
            ops.concatenate([ab * share, share], axis=-1), self.side, self.side
        )
        share = pooled[..., 2:]
        ab = ops.where(share > 0.0, pooled[..., :2] / ops.maximum(share, 1e-6), 0.0)
        return ops.concatenate([ab, share], axis=-1)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        sides = (None if side is None else side // self.side for side in (height, width))
        return (batch, *sides, 3)

    def get_config(self):
        return {**super().get_config(), "side": self.side}


@keras.saving.register_keras_serializable("colorizer")
class OnlyWithHints(keras.layers.Layer):
    """Passes the first of three inputs for images with hints or a palette; others become exactly 0.

    The second input are hints, (batch, height, width, 3), the third palettes, (batch, 529).
    """

    def call(self, inputs):
        features, hints, palette = inputs
        has_hints = ops.any(hints[..., 2:] > 0.0, axis=(1, 2, 3), keepdims=True)
        has_palette = ops.any(palette > 0.0, axis=1)[:, None, None, None]
        has_hints = ops.logical_or(has_hints, has_palette)
        return ops.where(has_hints, features, ops.zeros_like(features))

    def compute_output_shape(self, input_shape):
        return input_shape[0]
