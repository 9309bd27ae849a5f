"""The progress of a training."""

import dataclasses


@dataclasses.dataclass
class Progress:
    """The progress of a training.

    Attributes:
        epoch: int, the number of complete epochs.
        step: int, the number of complete steps of the current epoch.
        total_steps: int, the number of steps since the beginning.
        best_loss: float or None, the lowest validation loss so far.
        best_training_loss: float or None, the lowest training loss of an epoch so far.
        rate_factor: float, the factor of all plateaus so far on the learning rates.
        plateau_loss: float or None, the loss that later epochs have to go below.
        plateau_epochs: int, the number of epochs since then that did not.
        losses: dict, the sum and the count of each loss in an epoch that was interrupted.
        skipped_steps: int, how many steps were undone because of nonfinite values.
        log_dir: str, the folder of this training's logs.
    """

    epoch: int = 0
    step: int = 0
    total_steps: int = 0
    best_loss: float | None = None
    best_training_loss: float | None = None
    rate_factor: float = 1.0
    plateau_loss: float | None = None
    plateau_epochs: int = 0
    losses: dict[str, list[float]] = dataclasses.field(default_factory=dict)
    skipped_steps: int = 0
    log_dir: str = ""

    def mean_losses(self) -> dict[str, float]:
        """The mean losses of the epoch that was interrupted, up to that point."""
        return {name: total / count for name, (total, count) in self.losses.items() if count}

    def forget_validation(self) -> None:
        """Forgets the lowest validation loss, for another objective or other images."""
        self.best_loss = None
        self.forget_plateau()

    def forget_training(self) -> None:
        """Forgets the lowest training loss, for another objective or other images."""
        self.best_training_loss = None
        self.forget_plateau()

    def forget_plateau(self) -> None:
        """Forgets the loss that a plateau is measured by."""
        self.plateau_loss = None
        self.plateau_epochs = 0
