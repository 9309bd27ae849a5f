"""Logs steps with NaN or infinite losses or gradients, and ends the training if necessary."""

import math
import sys
from collections.abc import Callable

import keras

from errors import DivergedError
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.layers.replicas import read


class NonfiniteSteps(keras.callbacks.Callback):
    """Logs every step whose losses or gradients are NaN or infinite, and ends the training.

    If the model undoes such steps, the training ends only when there are too many. Each step is
    written to `nonfinite_steps.txt` in the folder, with its losses and the names of its images.
    After every epoch the validation losses and the weights are checked too. Checkpoints are not
    changed.

    Args:
        folder: `WeightsFolder` of the training.
        progress: `Progress`, the number of the step; its `skipped_steps` is updated.
        images_of_batch: callable from the number of a batch to the names of its images.
        limit: int, the number of steps that may be undone. Defaults to `0`.
        writes: bool, whether this worker writes the log and the warnings; of several workers, only
            one does. Defaults to `True`.

    Raises:
        DivergedError: a step is nonfinite and is not undone or is one too many, or a validation
            loss or a weight is nonfinite.
    """

    def __init__(
        self,
        folder: WeightsFolder,
        progress: Progress,
        images_of_batch: Callable[[int], list[str]],
        limit: int = 0,
        writes: bool = True,
    ):
        super().__init__()
        self.folder = folder
        self.progress = progress
        self.images_of_batch = images_of_batch
        self.limit = limit
        self.writes = writes

    def on_train_batch_end(self, batch, logs=None):
        if not int(read(self.model.nonfinite_count)):
            return
        # `TrainingCheckpoint`, which comes later, has not counted this step yet.
        step = self.progress.total_steps + 1
        losses = self._losses(logs)
        if self.writes:
            self._log(step, losses)
        if not self.model.undo_nonfinite_steps:
            self._end(step, losses)
        self.progress.skipped_steps += 1
        if self.progress.skipped_steps > self.limit:
            self._end(step, f"{losses}; no more than {self.limit} steps may be undone")
        if not self.writes:
            return
        print(
            f"\nwarning: step {step} was undone ({self.progress.skipped_steps} of at most "
            f"{self.limit}): {losses}; its images are listed in {self.folder.nonfinite_steps}",
            file=sys.stderr,
        )

    def on_epoch_end(self, epoch, logs=None):
        nonfinite = {name: value for name, value in (logs or {}).items() if not _is_finite(value)}
        if nonfinite:
            self._end(self.progress.total_steps, _describe(nonfinite))
        if not self.model.is_finite():
            self._end(self.progress.total_steps, "a weight is NaN or infinite")

    def _losses(self, logs) -> str:
        losses = {name: float(read(self.model.step_losses[name])) for name in logs}
        nonfinite = {name: value for name, value in losses.items() if not _is_finite(value)}
        if nonfinite:
            return _describe(nonfinite)
        return f"a gradient is NaN or infinite ({_describe(losses)})"

    def _log(self, step: int, losses: str) -> None:
        lines = [
            f"step {step} (epoch {self.progress.epoch + 1}): {losses}",
            *(f"    {name}" for name in self.images_of_batch(step - 1)),
        ]
        with open(
            self.folder.nonfinite_steps, "a", encoding="utf-8", errors="surrogateescape"
        ) as file:
            file.write("\n".join(lines) + "\n")

    def _end(self, step, reason):
        raise DivergedError(
            f"training diverged at step {step} (epoch {self.progress.epoch + 1}): {reason}"
        )


def _is_finite(value) -> bool:
    return math.isfinite(float(value))


def _describe(losses: dict) -> str:
    return ", ".join(f"{name} is {float(value):g}" for name, value in losses.items())
