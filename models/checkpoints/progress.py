"""How far a training has come."""

import dataclasses


@dataclasses.dataclass
class Progress:
    """How far a training has come.

    Attributes:
        epoch: int, how many epochs are complete.
        step: int, how many steps of the current epoch are done.
        total_steps: int, steps since the beginning.
        best_loss: float or None, the lowest validation loss so far.
        best_training_loss: float or None, the lowest loss of an epoch in training so far.
        rate_factor: float, what plateaus have made of the learning rates.
        plateau_loss: float or None, the loss that the next has to be below.
        plateau_epochs: int, for how many epochs none was.
        losses: of an epoch that was broken off, the sums of its losses and how many each is of.
        skipped_steps: int, how many steps were undone because of nonfinite values.
        log_dir: str, where the records of this training go.
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
        """The losses of the epoch that was broken off, as far as it came."""
        return {name: total / count for name, (total, count) in self.losses.items() if count}

    def forget_validation(self) -> None:
        """What follows is judged by another objective or by other images."""
        self.best_loss = None
        self.forget_plateau()

    def forget_training(self) -> None:
        """What follows is learned from another objective or from other images."""
        self.best_training_loss = None
        self.forget_plateau()

    def forget_plateau(self) -> None:
        """The lowest loss that a plateau is told by is sought anew."""
        self.plateau_loss = None
        self.plateau_epochs = 0
