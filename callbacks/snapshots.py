"""Keeps everything that a training needs to go on."""

import keras

from errors import DivergedError
from models.weights_folder import Progress, WeightsFolder


class Snapshots(keras.callbacks.Callback):
    """Counts steps and epochs, and writes a snapshot at the end of every epoch.

    It stands behind the callbacks whose results a snapshot shall hold.

    Args:
        folder: `WeightsFolder`.
        progress: `Progress`, counted on from where it stands.
    """

    def __init__(self, folder: WeightsFolder, progress: Progress):
        super().__init__()
        self.folder = folder
        self.progress = progress

    def on_train_batch_end(self, batch, logs=None):
        self.progress.step += 1
        self.progress.total_steps += 1

    def on_epoch_end(self, epoch, logs=None):
        self.progress.epoch = epoch + 1
        self.progress.step = 0
        self.save()

    def save(self):
        """Writes a snapshot of now and returns its path.

        Raises:
            DivergedError: a weight is no number; the earlier snapshot stays.
        """
        if not self.model.is_finite():
            raise DivergedError(
                f"training diverged before step {self.progress.total_steps}: a weight is no "
                "number; the last snapshot is from before"
            )
        return self.folder.save_snapshot(self.model, self.progress)
