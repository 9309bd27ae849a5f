"""Images of how the colors come along."""

import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from data.color.lab import join_lab, lab1_to_rgb1, rgb1_to_rgb255
from data.image_io import write_rgb
from models.checkpoints.progress import Progress

# Pixels between two images.
_GAP = 4


class SampleGrid(keras.callbacks.Callback):
    """Colors the same images after every few epochs and keeps the grids.

    A row shows one image: gray, colored, and true where the truth is known. Each grid is
    written as a PNG below `log_dir/samples` and to TensorBoard's images page, whose cards are
    narrow: three images stand beside each other there, not all of them.

    Args:
        name: str, of the grid.
        lightness: array of shape (count, height, width, 1), in the range of networks.
        true_ab: array of shape (count, height, width, 2), or None for photographs without truth.
        log_dir: the folder.
        progress: `Progress`, for the number of the step.
        every: int, epochs between two grids.
    """

    def __init__(
        self,
        name: str,
        lightness,
        true_ab,
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
    """Sets columns of images beside each other on white.

    Args:
        columns: each a uint8 array of shape (count, height, width, 3), all of one shape.

    Returns:
        uint8 array of shape (total height, total width, 3).
    """
    padding = ((0, 0), (0, _GAP), (0, _GAP), (0, 0))
    padded = [np.pad(column, padding, constant_values=255) for column in columns]
    grid = np.concatenate([np.concatenate(list(column), axis=0) for column in padded], axis=1)
    return grid[:-_GAP, :-_GAP]
