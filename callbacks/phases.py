"""Which networks are trained in which epoch."""

import keras


class Phases(keras.callbacks.Callback):
    """Trains the generator alone for the first epochs and with its adversary afterwards (NoGAN).

    Args:
        generator_epochs: int, how many epochs without the discriminator.

    Reference: Antic, Howard, Manor, "Decrappification, DeOldification, and Super Resolution",
    fast.ai 2019.
    """

    def __init__(self, generator_epochs: int):
        super().__init__()
        self.generator_epochs = generator_epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.model.set_adversarial(epoch >= self.generator_epochs)
