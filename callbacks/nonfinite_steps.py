"""Losses and gradients that are no numbers: the training ends, or goes on without the batch."""

import math
import sys
from collections.abc import Callable

import keras

from errors import DivergedError
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress
from models.layers.replicas import read


class NonfiniteSteps(keras.callbacks.Callback):
    """Writes down every step whose losses or gradients are NaN or infinite, and ends the training.

    Where the model undoes such steps, only when there are too many. Each is written to
    `nonfinite_steps.txt` in the folder with its losses and the names of its images. Validation's
    losses and the weights themselves are looked at after every epoch. Checkpoints stay as they are.
    It stands before `SaveBestThenLast` and `TrainingCheckpoint` in the list of callbacks.

    Args:
        folder: `WeightsFolder`.
        progress: `Progress`, for the number of the step; its `skipped_steps` is counted on.
        images_of_batch: gives the names of the images of a batch by its number.
        limit: int, how many steps may be undone.
        writes: bool. Of several workers one writes it down.
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
        # `TrainingCheckpoint` has not yet counted the step.
        step = self.progress.total_steps + 1
        losses = self._losses(logs)
        if self.writes:
            self._write_down(step, losses)
        if not self.model.undo_nonfinite_steps:
            self._end(step, losses)
        self.progress.skipped_steps += 1
        if self.progress.skipped_steps > self.limit:
            self._end(step, f"{losses}; as many steps as --nan_limit allows were undone before")
        if not self.writes:
            return
        print(
            f"\nwarning: step {step} is undone ({self.progress.skipped_steps} of at most "
            f"{self.limit}): {losses}; its images are listed in {self.folder.nonfinite_steps}",
            file=sys.stderr,
        )

    def on_epoch_end(self, epoch, logs=None):
        bad = {name: value for name, value in (logs or {}).items() if not _is_finite(value)}
        if bad:
            self._end(self.progress.total_steps, _in_words(bad))
        if not self.model.is_finite():
            self._end(self.progress.total_steps, "a weight is no number")

    def _losses(self, logs) -> str:
        losses = {name: float(read(self.model.step_losses[name])) for name in logs}
        bad = {name: value for name, value in losses.items() if not _is_finite(value)}
        if bad:
            return _in_words(bad)
        return f"a gradient is no number ({_in_words(losses)})"

    def _write_down(self, step: int, losses: str) -> None:
        lines = [
            f"step {step} (epoch {self.progress.epoch + 1}): {losses}",
            *(f"    {name}" for name in self.images_of_batch(step - 1)),
        ]
        with open(
            self.folder.nonfinite_steps, "a", encoding="utf-8", errors="surrogateescape"
        ) as file:
            file.write("\n".join(lines) + "\n")

    def _end(self, step, what):
        checkpoint = self.folder.checkpoints.last()
        if checkpoint is None:
            advice = "nothing was kept yet; begin again with a lower --generator_lr"
        else:
            advice = (
                f"the checkpoint {checkpoint} is from before; go on with a lower --generator_lr: "
                f"{self.folder.resume_command}"
            )
        raise DivergedError(
            f"training diverged at step {step} (epoch {self.progress.epoch + 1}): {what}; {advice}"
        )


def _is_finite(value) -> bool:
    return math.isfinite(float(value))


def _in_words(losses: dict) -> str:
    return ", ".join(f"{name} is {float(value):g}" for name, value in losses.items())
