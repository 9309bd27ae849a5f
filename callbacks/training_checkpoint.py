"""Keeps everything that a training needs to go on."""

import dataclasses
from typing import Any

import keras

from errors import DivergedError
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.layers.replicas import read


class TrainingCheckpoint(keras.callbacks.Callback):
    """Counts steps and epochs, and writes a checkpoint at the end of every epoch.

    It stands behind the callbacks whose results a checkpoint shall hold.

    Args:
        folder: `WeightsFolder`.
        progress: `Progress`, counted on from where it stands.
        network: what is trained, as a checkpoint describes it.
        every: int or None, steps between two checkpoints inside an epoch.
        keep: int, how many checkpoints stay.
        writes: bool. Of several workers one writes; the others count, and give their part of the
            losses.
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
        self._losses_at_end = None

    def on_epoch_begin(self, epoch, logs=None):
        # Keras has just reset them: an epoch that was broken off goes on with its own.
        means = self.model.training_means
        for name, (total, count) in self.progress.losses.items():
            # Of another objective from here on there are others.
            if name in means:
                means[name].total.assign(total)
                means[name].count.assign(count)
        self.progress.losses = {}
        self._losses_at_end = None

    def on_test_begin(self, logs=None):
        # Validation resets them.
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

    def save(self):
        """Writes a checkpoint of now.

        Returns:
            Its path, or where it does not write the folder of all.

        Raises:
            DivergedError: a weight is no number; the earlier checkpoint stays.
        """
        if not self.model.is_finite():
            raise DivergedError(
                f"training diverged before step {self.progress.total_steps}: a weight is no "
                "number; the last checkpoint is from before"
            )
        losses = {}
        if self.progress.step:
            losses = self._losses_at_end or self._losses()
        if not self.writes:
            return self.folder.checkpoints.path
        progress = dataclasses.replace(self.progress, losses=losses)
        return self.folder.checkpoints.save(self.model, progress, self.network, self.keep)

    def _losses(self) -> dict[str, list[float]]:
        """The sums of the epoch's losses and how many each is of."""
        return {
            name: [float(read(number)) for number in (mean.total, mean.count)]
            for name, mean in self.model.training_means.items()
        }
