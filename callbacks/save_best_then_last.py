"""Saves the EMA generator: the best one, or the last one in adversarial training."""

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress


class SaveBestThenLast(keras.callbacks.Callback):
    """Saves the EMA generator at the end of an epoch.

    While the generator is trained alone, the weights with the lowest validation loss are saved;
    without validation, those of every epoch. The validation loss compares with the true colors, so
    it prefers dull colors, and the colors that an adversarial loss adds only raise it. Once both
    networks are trained, the weights of every epoch are therefore saved, and those with the lowest
    validation loss so far go to the subfolder `lowest_loss`.

    While the generator is trained alone, the weights with the lowest training loss go to the
    subfolder `lowest_training_loss`. In adversarial training, the generator's loss says little.

    Args:
        folder: `WeightsFolder` of the training.
        progress: `Progress`; its `best_loss` and `best_training_loss` are read and updated, so
            that a resumed training compares with its own past.
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
                self._save_lowest_training_loss(logs.get("generator_loss"))
            return
        if loss is not None:
            self._save_lowest_loss(is_best)
        self.folder.save_generator(self.model.generator_ema)

    def _save_lowest_training_loss(self, loss: float | None) -> None:
        best = self.progress.best_training_loss
        if loss is not None and (best is None or loss < best):
            self.progress.best_training_loss = float(loss)
            self._save_to(self.folder.of_lowest_training_loss)

    def _save_lowest_loss(self, is_best: bool) -> None:
        folder = self.folder.of_lowest_loss
        if is_best:
            self._save_to(folder)
        elif not folder.holds_weights():
            # The best epoch was one of the generator alone, whose weights are still in the folder.
            self.folder.copy_generator(folder)

    def _save_to(self, folder: WeightsFolder) -> None:
        folder.write_settings(self.folder.read_settings())
        folder.save_generator(self.model.generator_ema)
