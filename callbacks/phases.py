"""Selects the networks to train in each epoch."""

import keras

from models.adversarial_colorizer import Phase


class Phases(keras.callbacks.Callback):
    """Trains the generator alone first, then the discriminator alone, then both.

    Args:
        generator_epochs: int, the number of epochs with the generator alone.
        discriminator_epochs: int, the number of following epochs with the discriminator alone.
            Defaults to `0`.

    Reference: Antic, Howard, Manor, "Decrappification, DeOldification, and Super Resolution",
    fast.ai 2019 (NoGAN).
    """

    def __init__(self, generator_epochs: int, discriminator_epochs: int = 0):
        super().__init__()
        self.generator_epochs = generator_epochs
        self.discriminator_epochs = discriminator_epochs

    def on_epoch_begin(self, epoch, logs=None):
        if epoch < self.generator_epochs:
            phase = Phase.GENERATOR
        elif epoch < self.generator_epochs + self.discriminator_epochs:
            phase = Phase.DISCRIMINATOR
        else:
            phase = Phase.BOTH
        self.model.set_phase(phase)
