"""Which learning rates hold in which step."""

import math
from collections.abc import Mapping

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress

# By their names, the factor of the rates where this share of all epochs is done.
SCHEDULES = {
    "constant": lambda done: 1.0,
    # Constant in the first half and from there on a line to 0 (the program of Isola et al. 2017).
    "linear": lambda done: min(1.0, 2.0 * (1.0 - done)),
    # Half a wave from 1 to 0 (Loshchilov and Hutter, SGDR, ICLR 2017, equation 5).
    "cosine": lambda done: 0.5 * (1.0 + math.cos(math.pi * done)),
    # What `callbacks.plateau` has made of it.
    "plateau": lambda done: 1.0,
}


class LearningRates(keras.callbacks.Callback):
    """Sets the rates of both networks before every step.

    It stands behind `Phases` in the list of callbacks, and depends on nothing but how far the
    training has come: one that is resumed has the rates that it would have had.

    Args:
        rates: by phase the rates of the generator and of the discriminator.
        progress: `Progress`, for the number of the step and for what a plateau has lowered.
        schedule: str, one of `SCHEDULES`.
        epochs: int, how many epochs there are in all.
        steps_per_epoch: int.
        warmup_steps: int, in how many steps at the beginning the rates rise on a line from 0
            (Goyal et al., "Accurate, Large Minibatch SGD", 2017, section 2.2), those of both
            networks, whether both learn then or not. Defaults to `0`.
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
