"""Ctrl-C and SIGTERM: finish the step, keep everything, say how to go on."""

from typing import Protocol

import keras

from callbacks.snapshots import Snapshots
from errors import InterruptedBySignalError


class Watch(Protocol):
    """What has seen a signal, or not."""

    received: int | None


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the step in work, with a snapshot, once a signal was received.

    It looks after every training step and every validation batch, writes a snapshot and raises
    `InterruptedBySignalError`.

    Args:
        watch: an object whose `received` is the signal's number, or None.
        snapshots: `Snapshots`, which must stand before this one in the list of callbacks.
    """

    def __init__(self, watch: Watch, snapshots: Snapshots):
        super().__init__()
        self.watch = watch
        self.snapshots = snapshots

    def on_train_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def on_test_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def _stop_if_asked(self):
        if self.watch.received is None:
            return
        place = self.snapshots.save()
        progress = self.snapshots.progress
        raise InterruptedBySignalError(
            self.watch.received,
            f"in epoch {progress.epoch + 1} after {progress.total_steps} steps; kept in {place}; "
            f"go on with: {self.snapshots.folder.resume_command}",
        )
