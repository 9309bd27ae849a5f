"""Ctrl-C and SIGTERM: finish the step, keep everything, say how to go on."""

import signal
from collections.abc import Callable
from typing import Protocol

import keras

from callbacks.training_checkpoint import TrainingCheckpoint
from errors import InterruptedBySignalError
from models.layers.replicas import read


class Watch(Protocol):
    """What has seen a signal, or not."""

    received: int | None


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the step in work, with a checkpoint, once a signal was received.

    It looks after every training step and every validation batch, writes a checkpoint and raises
    `InterruptedBySignalError`. Of several workers all end after the same step, whichever of them
    received the signal.

    Args:
        watch: an object whose `received` is the signal's number, or None.
        checkpoint: `TrainingCheckpoint`, which must stand before this one in the list of callbacks.
        wait_for_all: where several workers learn, returns when all of them call it.
    """

    def __init__(
        self,
        watch: Watch,
        checkpoint: TrainingCheckpoint,
        wait_for_all: Callable[[], None] | None = None,
    ):
        super().__init__()
        self.watch = watch
        self.checkpoint = checkpoint
        self.wait_for_all = wait_for_all

    def on_train_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def on_test_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def _stop_if_asked(self):
        if not self._is_time():
            return
        place = self.checkpoint.save()
        if self.wait_for_all:
            # A worker that ended before the checkpoint is written would break it off.
            self.wait_for_all()
        progress = self.checkpoint.progress
        raise InterruptedBySignalError(
            self.watch.received or signal.SIGTERM,
            f"in epoch {progress.epoch + 1} after {progress.total_steps} steps; kept in {place}; "
            f"go on with: {self.checkpoint.folder.resume_command}",
        )

    def _is_time(self) -> bool:
        if self.wait_for_all is None:
            return self.watch.received is not None
        if self.watch.received is not None:
            # The others hear of it in the next step.
            self.model.wants_to_stop.assign(True)
        return int(read(self.model.stop_votes)) > 0
