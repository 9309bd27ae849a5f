"""A loss that is no number any more ends training."""

import math

import keras

from errors import DivergedError
from models.weights_folder import Progress, WeightsFolder


class StopOnDivergence(keras.callbacks.Callback):
    """Raises as soon as a loss or a weight is NaN or infinite; snapshots stay as they are.

    Training losses are looked at after every step, validation's and the weights themselves at
    the end of every epoch. It stands before `ColoringWeights` and `Snapshots` in the list of
    callbacks.

    Args:
        folder: `WeightsFolder`, for what to do next.
        progress: `Progress`, for the number of the step.
    """

    def __init__(self, folder: WeightsFolder, progress: Progress):
        super().__init__()
        self.folder = folder
        self.progress = progress

    def on_train_batch_end(self, batch, logs=None):
        self._look_at(logs, step=self.progress.total_steps + 1)

    def on_epoch_end(self, epoch, logs=None):
        self._look_at(logs or {}, step=self.progress.total_steps)
        if not self.model.is_finite():
            self._stop("a weight is no number", self.progress.total_steps)

    def _look_at(self, logs, step):
        bad = {name: value for name, value in logs.items() if not math.isfinite(float(value))}
        if bad:
            losses = ", ".join(f"{name} is {float(value)}" for name, value in bad.items())
            self._stop(losses, step)

    def _stop(self, what, step):
        snapshot = self.folder.last_snapshot()
        if snapshot is None:
            advice = "nothing was kept yet; begin again with a lower --generator_lr"
        else:
            advice = (
                f"the snapshot {snapshot} is from before; go on with a lower --generator_lr: "
                f"{self.folder.resume_command}"
            )
        raise DivergedError(
            f"training diverged at step {step} (epoch {self.progress.epoch + 1}): {what}; {advice}"
        )
