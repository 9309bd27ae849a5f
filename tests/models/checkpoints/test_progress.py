"""The progress of a training: forgetting losses, and the means of an unfinished epoch."""

from models.checkpoints.progress import Progress


def test_losses_are_forgotten_and_nothing_else():
    done = {"epoch": 4, "step": 3, "total_steps": 23, "rate_factor": 0.01, "log_dir": "logs"}
    lowest = {"best_loss": 0.5, "best_training_loss": 0.25}

    def forget(*losses):
        progress = Progress(**done, **lowest, plateau_loss=0.75, plateau_epochs=2)
        for loss in losses:
            getattr(progress, f"forget_{loss}")()
        return progress

    assert forget("plateau") == Progress(**done, **lowest)
    assert forget("validation") == Progress(**done, **{**lowest, "best_loss": None})
    assert forget("training") == Progress(**done, **{**lowest, "best_training_loss": None})
    assert forget("validation", "training") == Progress(**done)


def test_losses_of_an_interrupted_epoch_are_means_so_far():
    progress = Progress(losses={"l1": [3.0, 4.0], "adversarial_loss": [0.0, 0.0]})
    assert progress.mean_losses() == {"l1": 0.75}
