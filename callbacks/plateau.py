"""Lowers the learning rates when the loss stops falling."""

import keras

from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress

# The smallest relative decrease of the loss that counts (as in PyTorch's ReduceLROnPlateau).
_THRESHOLD = 1e-4


class Plateau(keras.callbacks.Callback):
    """Multiplies the learning rates by a factor when the loss has not fallen for some epochs.

    It acts only while the generator is trained alone: with an adversarial loss, the loss that
    compares with the true colors need not fall any more.

    The loss is the validation loss, or the training loss if there is no validation. The state is
    in `Progress`, so that a resumed training continues with it. `LearningRates` applies the factor.

    Args:
        progress: `Progress`, whose `rate_factor` is lowered.
        patience: int, the number of epochs without a lower loss before the rates are lowered.
            Defaults to `3`.
        factor: float in (0, 1), the factor of the rates. Defaults to `0.1`.
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
                f"\nthe loss has not fallen for {self.patience} epochs: learning rates are "
                f"multiplied by {progress.rate_factor:g} from now on"
            )
