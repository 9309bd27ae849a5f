"""Keeps the weights that color: the best ones, or with an adversary the last."""

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress


class SaveBestThenLast(keras.callbacks.Callback):
    """Writes the EMA generator at the end of an epoch, when it is to color from now on.

    While the generator learns alone, better is a lower validation loss. That loss compares with
    the true colors, and by it the dullest epoch is the best: what an adversary adds only raises
    it. So once both networks learn, the last epoch is what colors, and the weights of the lowest
    loss so far go to the folder `lowest_loss` inside.

    Without validation every epoch is the best so far.

    The weights of the lowest loss in training go to the folder `lowest_training_loss`, while the
    generator learns alone: with an adversary its loss says little.

    Args:
        folder: `WeightsFolder`.
        progress: `Progress`; its `best_loss` and `best_training_loss` are read and updated, so
            that a resumed training goes on comparing with its own past.
    """

    def __init__(self, folder: WeightsFolder, progress: Progress):
        super().__init__()
        self.folder = folder
        self.progress = progress

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        loss = logs.get("val_loss")
        best = self.progress.best_loss
        is_best = loss is None or best is None or loss < best
        if is_best:
            self.progress.best_loss = None if loss is None else float(loss)
        if self.model.phase is not Phase.BOTH:
            if is_best:
                self.folder.save_generator(self.model.generator_ema)
            if self.model.phase is Phase.GENERATOR:
                self._keep_lowest_training_loss(logs.get("generator_loss"))
            return
        if loss is not None:
            self._keep_lowest_loss(is_best)
        self.folder.save_generator(self.model.generator_ema)

    def _keep_lowest_training_loss(self, loss: float | None) -> None:
        best = self.progress.best_training_loss
        if loss is not None and (best is None or loss < best):
            self.progress.best_training_loss = float(loss)
            self._save_inside(self.folder.of_lowest_training_loss)

    def _keep_lowest_loss(self, is_now: bool) -> None:
        folder = self.folder.of_lowest_loss
        if is_now:
            self._save_inside(folder)
        elif not folder.holds_weights():
            # The last epoch of the generator alone had it.
            self.folder.copy_generator(folder)

    def _save_inside(self, folder: WeightsFolder) -> None:
        folder.write_settings(self.folder.read_settings())
        folder.save_generator(self.model.generator_ema)
