"""Which learning rates hold in which epoch."""

from collections.abc import Mapping

import keras

from models.adversarial_colorizer import Phase


class LearningRates(keras.callbacks.Callback):
    """Sets the rates of both networks at the beginning of every epoch.

    It stands behind `Phases` in the list of callbacks.

    Args:
        rates: by phase the rates of the generator and of the discriminator.
        schedule: str, `constant`, or `linear`: constant in the first half of the epochs, and from
            there on a line towards 0.
        epochs: int, how many epochs there are in all.

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017: their program trains half of the epochs with each part of `linear`.
    """

    def __init__(
        self,
        rates: Mapping[Phase, tuple[float, float]],
        schedule: str = "constant",
        epochs: int = 1,
    ):
        super().__init__()
        self.rates = rates
        self.schedule = schedule
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        factor = 1.0
        if self.schedule == "linear":
            factor = min(1.0, 2.0 * (1.0 - epoch / self.epochs))
        generator, discriminator = self.rates[self.model.phase]
        self.model.set_learning_rates(factor * generator, factor * discriminator)
