"""Trains the decoder before the encoder."""

import keras


class FrozenEncoder(keras.callbacks.Callback):
    """Leaves the generator's encoder as it is in the first epochs.

    Args:
        epochs: int, how many.
    """

    def __init__(self, epochs: int):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self.model.freeze_encoder(epoch < self.epochs)
