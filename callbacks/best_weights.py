"""Keeps the weights that did best on the validation pictures."""

import keras

from models.weights_folder import Progress, WeightsFolder


class BestWeights(keras.callbacks.Callback):
    """Writes the slow generator whenever its validation loss is the lowest so far.

    Without validation every epoch is the best so far.

    Args:
        folder: `WeightsFolder`.
        progress: `Progress`; its `best_loss` is read and updated, so that a resumed training
            goes on comparing with its own past.
    """

    def __init__(self, folder: WeightsFolder, progress: Progress):
        super().__init__()
        self.folder = folder
        self.progress = progress

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {}).get("val_loss")
        best = self.progress.best_loss
        if loss is None or best is None or loss < best:
            self.folder.save_generator(self.model.slow_generator)
            self.progress.best_loss = None if loss is None else float(loss)
