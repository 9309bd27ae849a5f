"""Lower learning rates where the loss no longer falls."""

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress

# A loss that is lower by a smaller share than this has not fallen (PyTorch's ReduceLROnPlateau).
_THRESHOLD = 1e-4


class Plateau(keras.callbacks.Callback):
    """Multiplies the rates by a factor when the loss has not fallen for some epochs.

    Only while the generator learns alone: with an adversary the loss that compares with the true
    colors need not fall any more.

    The loss is that of validation, or of training where there is no validation. Its state stands
    in `Progress`, so that a resumed training goes on waiting where it was. `LearningRates` sets
    the rates; this stands before `TrainingCheckpoint` in the list of callbacks.

    Args:
        progress: `Progress`, whose `rate_factor` is lowered.
        patience: int, after how many epochs without a lower loss.
        factor: float in (0, 1).
    """

    def __init__(self, progress: Progress, patience: int = 3, factor: float = 0.1):
        super().__init__()
        self.progress = progress
        self.patience = patience
        self.factor = factor

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        loss = logs.get("val_loss", logs.get("generator_loss"))
        if loss is None or self.model.phase is not Phase.GENERATOR:
            return
        progress = self.progress
        lowest = progress.plateau_loss
        if lowest is None or loss < lowest - _THRESHOLD * abs(lowest):
            progress.plateau_loss = float(loss)
            progress.plateau_epochs = 0
            return
        progress.plateau_epochs += 1
        if progress.plateau_epochs >= self.patience:
            progress.plateau_epochs = 0
            progress.rate_factor *= self.factor
            print(
                f"\nthe loss has not fallen for {self.patience} epochs: learning rates times "
                f"{progress.rate_factor:g} from here on"
            )
