"""A loss that is no number any more ends training."""

import math

import keras

from errors import DivergedError
from models.weights_folder import Progress


class StopOnDivergence(keras.callbacks.Callback):
    """Raises as soon as a training loss is NaN or infinite; snapshots stay as they are.

    It stands before `Snapshots` in the list of callbacks.

    Args:
        progress: `Progress`, for the number of the step.
    """

    def __init__(self, progress: Progress):
        super().__init__()
        self.progress = progress

    def on_train_batch_end(self, batch, logs=None):
        bad = {name: value for name, value in logs.items() if not math.isfinite(float(value))}
        if bad:
            losses = ", ".join(f"{name} is {float(value)}" for name, value in bad.items())
            raise DivergedError(
                f"training diverged at step {self.progress.total_steps + 1} (epoch "
                f"{self.progress.epoch + 1}): {losses}; the last snapshot is from before; lower "
                "--generator_lr or --discriminator_lr and go on with --load_weights"
            )
