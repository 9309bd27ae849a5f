"""Stops the training on Ctrl-C, SIGTERM or SIGHUP, after a checkpoint."""

import signal
from collections.abc import Callable
from typing import Protocol

import keras

from callbacks.training_checkpoint import TrainingCheckpoint
from errors import InterruptedBySignalError
from models.layers.replicas import read


class Watch(Protocol):
    """An object that records the last signal: its number, or None."""

    received: int | None


class StopOnSignal(keras.callbacks.Callback):
    """Ends the training after the current step, with a checkpoint, once a signal was received.

    It checks for a signal after every training step and every validation batch. Several workers
    all end after the same step, whichever of them received the signal.

    Args:
        watch: object whose `received` is the number of the signal, or None.
        checkpoint: `TrainingCheckpoint` of this training.
        wait_for_all: callable that returns once all workers have called it, or None for a single
            worker. Defaults to `None`.

    Raises:
        InterruptedBySignalError: a signal was received and the checkpoint is written.
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
        if not self._should_stop():
            return
        path = self.checkpoint.save()
        if self.wait_for_all:
            # If a worker ended before the checkpoint is written, it would interrupt the writer.
            self.wait_for_all()
        progress = self.checkpoint.progress
        raise InterruptedBySignalError(
            self.watch.received or signal.SIGTERM,
            f"in epoch {progress.epoch + 1} after {progress.total_steps} steps; saved in {path}",
        )

    def _should_stop(self) -> bool:
        if self.wait_for_all is None:
            return self.watch.received is not None
        if self.watch.received is not None:
            # The other workers receive this in the next step.
            self.model.wants_to_stop.assign(True)
        return int(read(self.model.stop_votes)) > 0
