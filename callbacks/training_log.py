"""Prints the losses of a training as plain lines, for logs and pipes."""

import time
from collections.abc import Callable
from typing import Any

import keras


class TrainingLog(keras.callbacks.Callback):
    """Prints one line after each epoch, and within an epoch at most one a minute.

    A progress bar redraws its line, which fills the log of a cluster with control characters. These
    are lines of this callback:

        Epoch 1/50: step 512 of 1000, 60 s, generator_loss 4.31
        Epoch 1/50: 1000 steps, 125 s, 118 ms per step, generator_loss 3.92, val_loss 4.05

    Args:
        epochs: int, the number of epochs of the whole training, which may consist of several calls
            of `fit`.
        seconds: float, the shortest time between two lines within an epoch. Defaults to `60.0`.
        clock: callable that returns the time in seconds. Defaults to `time.monotonic`.
    """

    def __init__(
        self, epochs: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ):
        super().__init__()
        self.epochs = epochs
        self.seconds = seconds
        self.clock = clock
        self._epoch = self._steps = 0
        self._begun = self._printed = self._trained = 0.0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._steps = epoch, 0
        self._begun = self._printed = self.clock()

    def on_train_batch_end(self, batch, logs=None):
        self._steps = batch + 1
        now = self.clock()
        # The time of the validation is not that of the steps.
        self._trained = now - self._begun
        if now - self._printed >= self.seconds:
            self._printed = now
            steps = self.params.get("steps")
            self._print(f"step {self._steps}" + (f" of {steps}" if steps else ""), logs)

    def on_epoch_end(self, epoch, logs=None):
        speed = 1000 * self._trained / max(1, self._steps)
        self._print(f"{self._steps} steps", logs, f"{speed:.0f} ms per step")

    def _print(self, steps: str, logs: dict[str, Any] | None, *more: str) -> None:
        values = (f"{name} {float(value):.4g}" for name, value in (logs or {}).items())
        seconds = f"{self.clock() - self._begun:.0f} s"
        # Python holds back what it writes to a file.
        print(
            f"Epoch {self._epoch + 1}/{self.epochs}: "
            + ", ".join((steps, seconds, *more, *values)),
            flush=True,
        )
