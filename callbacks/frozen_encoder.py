"""Freezes the encoder in the first epochs."""

import keras


class FrozenEncoder(keras.callbacks.Callback):
    """Freezes the generator's encoder in the first epochs, so that the decoder is trained first.

    Args:
        epochs: int, the number of epochs in which the encoder is frozen.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.model.freeze_encoder(epoch < self.epochs)
