"""Colors photographs of any size with a generator."""

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from data.guided_enlarging import GuidedEnlarging, follow_lightness
from data.lab import (
    AB_SCALE,
    LIGHTNESS_SCALE,
    is_in_gamut,
    join_lab,
    lab100_to_rgb1,
    pull_into_gamut,
    rgb1_to_lab100,
    rgb1_to_rgb255,
    rgb1_to_rgb65535,
    rgb255_to_rgb1,
    rgb65535_to_rgb1,
    split_lab,
)
from data.photos.page import PhotoPage

# Pixels that are joined at a time. Of one fixed size, so that XLA compiles the long chain of small
# operations into one loop, once: 3.6 times as fast as a graph on a CPU.
_CHUNK = 2**16
# Of those that sRGB cannot show, which are few.
_CHUNK_OUTSIDE = 2**13


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
    ):
        self.generator = generator
        self.render_size = render_size
        self.batch_size = batch_size
        self.saturation = saturation
        self.flip_average = flip_average
        # With an open batch, the graph is traced once.
        self._predict = tf.function(
            self._generate,
            input_signature=[tf.TensorSpec([None, render_size, render_size, 1], tf.float32)],
        )
        self._look = tf.function(_lab100, jit_compile=True)
        self._join = tf.function(_join, jit_compile=True)
        self._join_outside = tf.function(_join_outside, jit_compile=True)

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
        enlarging = GuidedEnlarging(lightness, ab, page.height, page.width)
        top = 0
        for rgb, alpha in page.strips():
            colored = page.from_srgb(self._colored(rgb, enlarging.strip(top, len(rgb)).numpy()))
            yield colored if alpha is None else np.concatenate([colored, alpha], axis=-1)
            top += len(rgb)

    def _generate(self, lightness):
        seen = lightness / LIGHTNESS_SCALE - 1.0
        if self.flip_average:
            both = self.generator(tf.concat([seen, seen[:, :, ::-1]], axis=0), training=False)
            straight, mirrored = tf.split(both, 2)
            ab = (straight + mirrored[:, :, ::-1]) / 2.0
        else:
            ab = self.generator(seen, training=False)
        return tf.cast(ab, tf.float32) * (AB_SCALE * self.saturation)

    def _colored(self, rgb: np.ndarray, enlarged: np.ndarray) -> np.ndarray:
        rows, width, channels = rgb.shape
        pixels = rgb.reshape(-1, channels), enlarged.reshape(rows * width, -1)
        colored, is_inside = _in_chunks(self._join, _CHUNK, *pixels)
        outside = np.flatnonzero(~is_inside)
        # A few pixels in a hundred: it is not worth it to look for the gamut's border for all.
        if outside.size:
            [pulled] = _in_chunks(
                self._join_outside, _CHUNK_OUTSIDE, *(part[outside] for part in pixels)
            )
            colored[outside] = pulled
        return colored.reshape(rows, width, 3)


def _join(rgb, enlarged):
    """The lightness of `rgb` with the colors of `enlarged`, and whether sRGB can show them."""
    lab = _joined_lab(rgb, enlarged)
    return _as_integers(lab, rgb.dtype), is_in_gamut(lab)


def _join_outside(rgb, enlarged):
    """The same with the colors that sRGB cannot show pulled into its gamut."""
    return _as_integers(pull_into_gamut(_joined_lab(rgb, enlarged)), rgb.dtype)


def _joined_lab(rgb, enlarged):
    lightness = split_lab(_lab100(rgb))[0]
    return join_lab(lightness, follow_lightness(lightness, enlarged))


def _as_integers(lab, dtype):
    rgb1 = lab100_to_rgb1(lab)
    return rgb1_to_rgb255(rgb1) if dtype == "uint8" else rgb1_to_rgb65535(rgb1)


def _lab100(rgb):
    rgb1 = rgb255_to_rgb1(rgb) if rgb.dtype == "uint8" else rgb65535_to_rgb1(rgb)
    return rgb1_to_lab100(ops.broadcast_to(rgb1, (*rgb1.shape[:-1], 3)))


def _in_chunks(function, size: int, *arrays: np.ndarray) -> list[np.ndarray]:
    """Calls a compiled function of pixels on all of them, a fixed number at a time."""
    pixels = len(arrays[0])
    parts = []
    for first in range(0, pixels, size):
        chunk = [array[first : first + size] for array in arrays]
        missing = size - len(chunk[0])
        if missing:
            chunk = [np.pad(array, [(0, missing), (0, 0)]) for array in chunk]
        parts.append([result.numpy() for result in tf.nest.flatten(function(*chunk))])
    return [np.concatenate(results)[:pixels] for results in zip(*parts, strict=True)]
