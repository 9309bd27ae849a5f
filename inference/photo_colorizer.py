"""Colors photographs of any size with a generator."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from data.color.lab import AB_SCALE, LIGHTNESS_SCALE, integers_to_rgb1, rgb1_to_lab100
from data.color.lab_planes import integers_to_lightness100
from data.photos.page import PhotoPage
from inference.frozen_generator import FrozenGenerator
from inference.lab_recombiner import LabRecombiner


class PhotoColorizer:
    """Colors photographs: shrinks them, runs the network, and upsamples its ab to full size.

    Every photograph is shrunk to a square of `render_size`, so that photographs of all shapes
    share a batch. The distortion costs nothing: on the validation photographs PSNR is the same as
    with the photograph's own shape, and on panoramas of 3:1 it is 0.7 dB better.

    Args:
        generator: `keras.Model` or `FrozenGenerator` from lightness to ab, both scaled for networks
            (`data.color.lab`).
        render_size: int, side of the network's input.
        batch_size: int, photographs in a batch. Halved permanently when memory runs out. Defaults
            to `16`.
        saturation: float, factor for ab. Defaults to `1.0`.
        flip_average: bool, whether to also color the mirrored photograph and average the two.
            Defaults to `False`.
        recombiner: `LabRecombiner`, for example one that is already compiled, or None for a new
            one. Defaults to `None`.

    Example:
        from data.photos.file import PhotoFile
        from data.photos.writer import write_photo

        generator = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])
        colorizer = PhotoColorizer(generator, render_size=64)
        page = PhotoFile("gray.jpg").pages[0]
        lightness = colorizer.lab_at_render_size(page)[..., :1]
        [ab] = colorizer.predict([lightness])
        write_photo("colored.jpg", [(page, colorizer.strips(page, lightness, ab))])
    """

    def __init__(
        self,
        generator: keras.Model | FrozenGenerator,
        render_size: int,
        batch_size: int = 16,
        saturation: float = 1.0,
        flip_average: bool = False,
        recombiner: LabRecombiner | None = None,
    ):
        self.generator = generator
        self.render_size = render_size
        self.batch_size = batch_size
        self.saturation = saturation
        self.flip_average = flip_average
        self._color = generator if isinstance(generator, FrozenGenerator) else self._graph()
        self._look = tf.function(_lab100, autograph=False, jit_compile=True)
        self._recombiner = recombiner or LabRecombiner()

    def trace(self) -> None:
        """Traces the graph in advance, so that the first batch does not have to wait for it."""
        self._color.get_concrete_function()

    def lab_at_render_size(self, page: PhotoPage) -> np.ndarray:
        """Shrinks a page to the size of the network's input.

        Args:
            page: `PhotoPage`.

        Returns:
            float32 array of shape (render_size, render_size, 3), CIE Lab. The network receives
            only L.
        """
        return self._look(page.shrunk(self.render_size, self.render_size)).numpy()

    def predict(self, lightness: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Predicts the ab of any number of photographs at `render_size`.

        When memory runs out, `batch_size` is halved and the batch is tried again.

        Args:
            lightness: sequence of arrays of shape (render_size, render_size, 1), the L of what
                `lab_at_render_size` returns.

        Returns:
            List of float32 arrays of shape (side, side, 2), a and b of CIE Lab: the side is
            `render_size`, or a part of it where the generator's colors are coarser.

        Raises:
            tf.errors.ResourceExhaustedError: memory does not suffice for a single photograph.
        """
        colored = []
        while len(colored) < len(lightness):
            batch = np.stack(lightness[len(colored) : len(colored) + self.batch_size])
            try:
                colored.extend(self._generate(batch))
            except tf.errors.ResourceExhaustedError:
                if len(batch) == 1:
                    raise
                self.batch_size = len(batch) // 2
        return colored

    def strips(
        self, page: PhotoPage, lightness: np.ndarray, ab: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Colors a page at full size.

        Args:
            page: `PhotoPage`.
            lightness: array, the input of `predict` for the page.
            ab: array, the output of `predict` for the page.

        Yields:
            Strips from top to bottom, arrays of shape (rows, width, 3), or (rows, width, 4) with
            alpha, in the type (uint8 or uint16) and the profile of the page.
        """
        return self._recombiner.strips(page, lightness, ab)

    def _graph(self):
        return tf.function(
            lambda lightness: tf.cast(self.generator(lightness, training=False), tf.float32),
            # AutoGraph has nothing to convert here, but takes long to find that out.
            autograph=False,
            # The batch size is left open, so that the graph is traced only once.
            input_signature=[
                tf.TensorSpec([None, self.render_size, self.render_size, 1], tf.float32)
            ],
        )

    def _generate(self, lightness):
        scaled = lightness / LIGHTNESS_SCALE - 1.0
        if self.flip_average:
            both = self._color(np.concatenate([scaled, scaled[:, :, ::-1]])).numpy()
            straight, mirrored = np.split(both, 2)
            ab = (straight + mirrored[:, :, ::-1]) / 2.0
        else:
            ab = self._color(scaled).numpy()
        return ab * np.float32(AB_SCALE * self.saturation)


def _lab100(rgb):
    """CIE Lab (height, width, 3) of integers (height, width, 1 or 3)."""
    if rgb.shape[-1] == 3:
        return rgb1_to_lab100(integers_to_rgb1(rgb))
    lightness = integers_to_lightness100([rgb[..., 0]])
    return ops.stack([lightness, ops.zeros_like(lightness), ops.zeros_like(lightness)], axis=-1)
