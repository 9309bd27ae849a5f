"""Colors photographs of any size with a generator."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from data.color.lab import AB_SCALE, LIGHTNESS_SCALE, integers_to_rgb1, rgb1_to_lab100
from data.photos.page import PhotoPage
from inference.lab_recombiner import LabRecombiner


class PhotoColorizer:
    """The path of a photograph: its lightness, the network, and back to its own size.

    The network sees every photograph as a square of `render_size`, so that photographs of all
    shapes share a batch. The distortion costs nothing: on the validation photographs its PSNR is
    that of the photograph's own shape, on panoramas of 3:1 it is 0.7 dB better.

    Args:
        generator: `keras.Model` from lightness to ab, in the range of networks.
        render_size: int, the side at which the network sees a photograph.
        batch_size: int, how many it sees at once. Halved for good when memory runs out.
        saturation: float, the factor of all colors.
        flip_average: bool, whether the mirrored photograph is colored too and the two are averaged.
        recombiner: `LabRecombiner` or None, one that was prepared already.

    Example:
        colorizer = PhotoColorizer(generator, render_size=192)
        photo = PhotoFile("gray.jpg")
        page = photo.pages[0]
        lightness, _ = split_lab(colorizer.look_at(page))
        [ab] = colorizer.predict([lightness])
        write_photo("colored.jpg", [(page, colorizer.strips(page, lightness, ab))])
    """

    def __init__(
        self,
        generator: keras.Model,
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
        # With an open batch, the graph is traced once.
        self._predict = tf.function(
            self._generate,
            # There is nothing to convert, and it takes long to find that out.
            autograph=False,
            input_signature=[tf.TensorSpec([None, render_size, render_size, 1], tf.float32)],
        )
        self._look = tf.function(_lab100, autograph=False, jit_compile=True)
        self._recombiner = recombiner or LabRecombiner()

    def trace(self) -> None:
        """Does what the first batch would have to wait for, but for the batch itself."""
        self._predict.get_concrete_function()

    def look_at(self, page: PhotoPage) -> np.ndarray:
        """What the network sees of a page, and the colors it does not look at.

        Returns:
            float32 array of shape (render_size, render_size, 3), CIE Lab.
        """
        return self._look(page.shrunk(self.render_size, self.render_size)).numpy()

    def predict(self, lightness: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Colors photographs at render size.

        When memory runs out, `batch_size` is halved and the batch tried again.

        Args:
            lightness: any number of arrays of shape (render_size, render_size, 1): the L of what
                `look_at` returns.

        Returns:
            As many float32 arrays of shape (render_size, render_size, 2): a and b of Lab.

        Raises:
            tf.errors.ResourceExhaustedError: there is no memory for even one.
        """
        colored = []
        while len(colored) < len(lightness):
            batch = np.stack(lightness[len(colored) : len(colored) + self.batch_size])
            try:
                colored.extend(self._predict(batch).numpy())
            except tf.errors.ResourceExhaustedError:
                if len(batch) == 1:
                    raise
                self.batch_size = len(batch) // 2
        return colored

    def strips(
        self, page: PhotoPage, lightness: np.ndarray, ab: np.ndarray
    ) -> Iterator[np.ndarray]:
        """Colors a page at its own size.

        Args:
            page: the page.
            lightness: what `predict` was given for the page.
            ab: from `predict`.

        Yields:
            Strips from top to bottom, uint8 or uint16 as the page, of shape (rows, width, 3), or
            4 with its alpha, in the profile of the page.
        """
        return self._recombiner.strips(page, lightness, ab)

    def _generate(self, lightness):
        seen = lightness / LIGHTNESS_SCALE - 1.0
        if self.flip_average:
            both = self.generator(tf.concat([seen, seen[:, :, ::-1]], axis=0), training=False)
            straight, mirrored = tf.split(both, 2)
            ab = (straight + mirrored[:, :, ::-1]) / 2.0
        else:
            ab = self.generator(seen, training=False)
        return tf.cast(ab, tf.float32) * (AB_SCALE * self.saturation)


def _lab100(rgb):
    rgb1 = integers_to_rgb1(rgb)
    return rgb1_to_lab100(ops.broadcast_to(rgb1, (*rgb1.shape[:-1], 3)))
