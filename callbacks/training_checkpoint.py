"""Saves everything that is needed to resume a training."""

import dataclasses
from pathlib import Path
from typing import Any

import keras

from errors import DivergedError
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.layers.replicas import read


class TrainingCheckpoint(keras.callbacks.Callback):
    """Counts steps and epochs, and writes a checkpoint at the end of every epoch.

    Args:
        folder: `WeightsFolder` of the training.
        progress: `Progress`, whose counts are updated.
        network: dict, the description of the networks that a checkpoint stores.
        every: int or None, the number of steps between two checkpoints within an epoch. Defaults
            to `None`, only at the end of epochs.
        keep: int, the number of checkpoints to keep. Defaults to `2`.
        writes: bool, whether this worker writes checkpoints; of several workers, only one does. The
            others count steps and contribute their part of the losses. Defaults to `True`.
    """

    def __init__(
        self,
        folder: WeightsFolder,
        progress: Progress,
        network: dict[str, Any],
        every: int | None = None,
        keep: int = 2,
        writes: bool = True,
    ):
        super().__init__()
        self.folder = folder
        self.progress = progress
        self.network = network
        self.every = every
        self.keep = keep
        self.writes = writes
        self._losses_at_end: dict[str, list[float]] | None = None

    def on_epoch_begin(self, epoch, logs=None):
        # Keras has just reset the means: a resumed epoch continues with its own.
        means = self.model.training_means
        for name, (total, count) in self.progress.losses.items():
            # A resumed training with another objective has other losses.
            if name in means:
                means[name].total.assign(total)
                means[name].count.assign(count)
        self.progress.losses = {}
        self._losses_at_end = None

    def on_test_begin(self, logs=None):
        # Validation resets the means.
        self._losses_at_end = self._losses()

    def on_train_batch_end(self, batch, logs=None):
        self.progress.step += 1
        self.progress.total_steps += 1
        if self.every and self.progress.total_steps % self.every == 0:
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        self.progress.epoch = epoch + 1
        self.progress.step = 0
        self.save()

    def save(self) -> Path:
        """Writes a checkpoint of the current state.

        Returns:
            The path of the checkpoint, or of the folder of all checkpoints if `writes` is False.

        Raises:
            DivergedError: a weight is NaN or infinite. The earlier checkpoints are unchanged.
        """
        if not self.model.is_finite():
            raise DivergedError(
                f"training diverged before step {self.progress.total_steps}: a weight is NaN or "
                "infinite"
            )
        losses = {}
        if self.progress.step:
            losses = self._losses_at_end or self._losses()
        if not self.writes:
            return self.folder.checkpoints.path
        progress = dataclasses.replace(self.progress, losses=losses)
        return self.folder.checkpoints.save(self.model, progress, self.network, self.keep)

    def _losses(self) -> dict[str, list[float]]:
        """The sum of each loss in this epoch and the number of its summands."""
        return {
            name: [float(read(number)) for number in (mean.total, mean.count)]
            for name, mean in self.model.training_means.items()
        }
