"""The learning rate schedules."""

import math
from collections.abc import Mapping

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress

# For each schedule, the factor of the learning rates after a share `done` of all epochs.
SCHEDULES = {
    "constant": lambda done: 1.0,
    # Constant in the first half, then linear to 0 (the code of Isola et al. 2017).
    "linear": lambda done: min(1.0, 2.0 * (1.0 - done)),
    # Half a cosine wave from 1 to 0 (Loshchilov and Hutter, SGDR, ICLR 2017, equation 5).
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    # `callbacks.plateau.Plateau` lowers `Progress.rate_factor` instead.
    "plateau": lambda done: 1.0,
}


class LearningRates(keras.callbacks.Callback):
    """Sets the learning rates of both networks before every step.

    The rates depend only on the progress of the training, so a resumed training has the same rates
    as one that was never stopped.

    Args:
        rates: mapping from each `Phase` to the learning rates of the generator and of the
            discriminator.
        progress: `Progress`, the number of the step and the factor of past plateaus.
        schedule: str, one of `SCHEDULES`.
        epochs: int, the number of epochs in total.
        steps_per_epoch: int, the number of steps in an epoch.
        warmup_steps: int, the number of first steps in which both rates rise linearly from 0, in
            every phase (Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.2).
            Defaults to `0`.
    """

    def __init__(
        self,
        rates: Mapping[Phase, tuple[float, float]],
        progress: Progress,
        schedule: str,
        epochs: int,
        steps_per_epoch: int,
        warmup_steps: int = 0,
    ):
        super().__init__()
        self.rates = rates
        self.progress = progress
        self.schedule = schedule
        self.epochs = epochs
        self.steps_per_epoch = steps_per_epoch
        self.warmup_steps = warmup_steps

    def on_train_batch_begin(self, batch, logs=None):
        factor = self._factor()
        generator, discriminator = self.rates[self.model.phase]
        self.model.set_learning_rates(factor * generator, factor * discriminator)

    def _factor(self) -> float:
        progress = self.progress
        done = (progress.epoch + progress.step / self.steps_per_epoch) / self.epochs
        factor = SCHEDULES[self.schedule](min(1.0, done))
        if self.schedule == "plateau":
            factor *= progress.rate_factor
        if progress.total_steps < self.warmup_steps:
            factor *= (progress.total_steps + 1) / self.warmup_steps
        return factor
