"""Writes grids of colored sample images during training."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.color.lab import join_lab, lab1_to_rgb1, rgb1_to_rgb255
from data.image_io import write_rgb
from models.checkpoints.progress import Progress

# The gap between two images in pixels.
_GAP = 4


class SampleGrid(keras.callbacks.Callback):
    """Colors the same images every few epochs and writes them as a grid.

    Each row shows one image: gray, colored, and with its true colors if they are known. A grid is
    written as a PNG in `log_dir/samples` and to the images page of TensorBoard. The cards of that
    page are narrow, so a row has one image and not several.

    Args:
        name: str, the name of the grid.
        lightness: array of shape (count, height, width, 1), in the range of the networks.
        true_ab: array of shape (count, height, width, 2), or None for photographs without true
            colors.
        log_dir: str or path, the folder of the logs.
        progress: `Progress`, the number of the step.
        every: int, the number of epochs between two grids. Defaults to `1`.
    """

    def __init__(
        self,
        name: str,
        lightness: tf.Tensor | np.ndarray,
        true_ab: tf.Tensor | np.ndarray | None,
        log_dir: str | os.PathLike,
        progress: Progress,
        every: int = 1,
    ):
        super().__init__()
        self.name = name
        self.lightness = lightness
        self.true_ab = true_ab
        self.folder = Path(log_dir) / "samples"
        self.progress = progress
        self.every = every
        self.writer = tf.summary.create_file_writer(os.path.join(log_dir, "samples"))

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        pixels = draw_grid(self._columns())
        write_rgb(self.folder / f"{self.name}_epoch_{epoch + 1:04d}.png", pixels)
        with self.writer.as_default():
            tf.summary.image(self.name, pixels[None], step=self.progress.total_steps)
        self.writer.flush()

    def _columns(self) -> list[np.ndarray]:
        gray = np.zeros((*self.lightness.shape[:-1], 2), "float32")
        colors = [gray, self.model(self.lightness, training=False)]
        if self.true_ab is not None:
            colors.append(self.true_ab)
        return [
            np.asarray(rgb1_to_rgb255(lab1_to_rgb1(join_lab(self.lightness, ab)))) for ab in colors
        ]


def draw_grid(columns: list[np.ndarray]) -> np.ndarray:
    """Arranges columns of images next to each other, with white gaps.

    Args:
        columns: list of uint8 arrays of shape (count, height, width, 3), all of the same shape.

    Returns:
        uint8 array of shape (total height, total width, 3).

    Example:
        images = np.zeros((2, 32, 32, 3), "uint8")
        draw_grid([images, images, images]).shape       # (68, 104, 3)
    """
    padding = ((0, 0), (0, _GAP), (0, _GAP), (0, 0))
    padded = [np.pad(column, padding, constant_values=255) for column in columns]
    grid = np.concatenate([np.concatenate(list(column), axis=0) for column in padded], axis=1)
    return grid[:-_GAP, :-_GAP]
