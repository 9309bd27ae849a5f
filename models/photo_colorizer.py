"""Colors a photograph of any size with a generator."""

import keras
import numpy as np
import tensorflow as tf

from data.lab import (
    join_lab,
    lab1_to_rgb1,
    rgb1_to_rgb255,
    rgb255_to_lab1,
    split_lab,
)

# A panorama is shown to the network at most this many times longer than high.
_LONGEST_SHAPE = 4


class PhotoColorizer:
    """The path of a photograph: its lightness, the network, and back to its own size.

    The network sees the photograph at `render_size`; its ab is enlarged and joined with the
    photograph's own lightness, so that no detail is lost.

    Args:
        generator: `keras.Model` from lightness to ab, in the range of networks.
        render_size: int, the shorter side at which the network sees a photograph.

    Example:
        colorizer = PhotoColorizer(generator, render_size=256)
        write_rgb("colored.jpg", colorizer(read_rgb("gray.jpg")))
    """

    def __init__(self, generator: keras.Model, render_size: int):
        self.generator = generator
        self.render_size = render_size
        # With open sizes each graph is traced once, for photographs of all shapes.
        signature = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2], tf.int32)]
        self._graph = tf.function(self._color, input_signature=signature)

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        """Colors one photograph.

        Args:
            pixels: uint8 array of shape (height, width, 3); only its lightness is used.

        Returns:
            uint8 array of the same shape.
        """
        return self._graph(pixels, self.size_for_network(*pixels.shape[:2])).numpy()

    def size_for_network(self, height: int, width: int) -> tuple[int, int]:
        """The (height, width) at which the network sees a photograph of this size."""
        scale = min(
            self.render_size / min(height, width),
            _LONGEST_SHAPE * self.render_size / max(height, width),
        )
        return max(1, round(height * scale)), max(1, round(width * scale))

    def _color(self, pixels, size):
        lightness, _ = split_lab(rgb255_to_lab1(pixels[None]))
        seen = tf.image.resize(lightness, size, antialias=True)
        ab = self.generator(seen, training=False)
        ab = tf.image.resize(ab, tf.shape(pixels)[:2], method="bicubic")
        return rgb1_to_rgb255(lab1_to_rgb1(join_lab(lightness, ab)))[0]
