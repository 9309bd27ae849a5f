"""The weights of the lowest validation loss are saved, or in adversarial training the last."""

import keras
import numpy as np
import pytest

from callbacks.save_best_then_last import SaveBestThenLast
from models.adversarial_colorizer import Phase
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress

GENERATOR, DISCRIMINATOR, BOTH = Phase.GENERATOR, Phase.DISCRIMINATOR, Phase.BOTH


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator_ema = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        self.phase = GENERATOR


@pytest.fixture
def folder(tmp_path):
    folder = WeightsFolder(tmp_path)
    folder.write_settings({"model": "any", "architecture": {}})
    return folder


def train(folder, losses, progress, phases=None, first=0, training_losses=None):
    """Ends one epoch for each loss. The generator's weight is the number of the epoch."""
    callback = SaveBestThenLast(folder, progress)
    model = Model()
    callback.set_model(model)
    for epoch, loss in enumerate(losses):
        model.phase = phases[epoch] if phases else GENERATOR
        model.generator_ema.set_weights([np.array([[first + epoch]]), np.zeros(1)])
        logs = {} if loss is None else {"val_loss": loss}
        if training_losses and training_losses[epoch] is not None:
            logs["generator_loss"] = training_losses[epoch]
        callback.on_epoch_end(epoch, logs)


def saved_epoch(folder):
    """The epoch whose weights are saved in the folder."""
    model = Model()
    folder.load_generator(model.generator_ema)
    return model.generator_ema.get_weights()[0].item()


def test_weights_of_the_lowest_validation_loss_are_saved(folder):
    progress = Progress()
    train(folder, [3.0, 1.0, 2.0], progress)
    assert saved_epoch(folder) == 1
    assert progress.best_loss == 1.0
    assert not folder.of_lowest_loss.path.exists()


def test_without_validation_the_last_weights_are_saved(folder):
    train(folder, [None, None], Progress(), [GENERATOR, BOTH])
    assert saved_epoch(folder) == 1
    assert not folder.of_lowest_loss.path.exists()


def test_a_resumed_training_compares_with_its_own_lowest_validation_loss(folder):
    train(folder, [1.0], Progress())
    before = (folder.path / "generator.weights.h5").read_bytes()
    train(folder, [2.0, 3.0], Progress(best_loss=1.0))
    assert (folder.path / "generator.weights.h5").read_bytes() == before


def test_adversarial_training_saves_the_last_weights_and_those_of_the_lowest_loss(folder):
    progress = Progress()
    train(folder, [3.0, 1.0, 2.0], progress, [BOTH] * 3)
    assert (saved_epoch(folder), saved_epoch(folder.of_lowest_loss)) == (2, 1)
    assert progress.best_loss == 1.0
    assert folder.of_lowest_loss.read_settings() == folder.read_settings()


def test_best_weights_of_the_generator_alone_stay_saved_in_adversarial_training(folder):
    progress = Progress()
    train(folder, [2.0, 1.0, 1.5, 1.0], progress, [GENERATOR, GENERATOR, GENERATOR, DISCRIMINATOR])
    assert saved_epoch(folder) == 1
    train(folder, [4.0, 3.0], progress, [BOTH, BOTH], first=4)
    assert (saved_epoch(folder), saved_epoch(folder.of_lowest_loss)) == (5, 1)
    train(folder, [0.5, 0.7], progress, [BOTH, BOTH], first=6)
    assert (saved_epoch(folder), saved_epoch(folder.of_lowest_loss)) == (7, 6)


# --- the lowest training loss --------------------------------------------------------------------


def test_weights_of_the_lowest_training_loss_are_saved_in_a_subfolder(folder):
    progress = Progress()
    train(folder, [1.0, 2.0, 3.0, 4.0], progress, training_losses=[3.0, 2.0, 1.0, 1.0])
    assert (saved_epoch(folder), saved_epoch(folder.of_lowest_training_loss)) == (0, 2)
    assert (progress.best_loss, progress.best_training_loss) == (1.0, 1.0)
    assert folder.of_lowest_training_loss.read_settings() == folder.read_settings()


def test_without_validation_the_last_weights_and_those_of_the_lowest_training_loss_are_saved(
    folder,
):
    train(folder, [None] * 3, Progress(), training_losses=[3.0, 1.0, 2.0])
    assert (saved_epoch(folder), saved_epoch(folder.of_lowest_training_loss)) == (2, 1)


def test_training_loss_does_not_count_in_adversarial_training(folder):
    progress = Progress()
    phases = [GENERATOR, DISCRIMINATOR, BOTH, BOTH]
    train(folder, [1.0] * 4, progress, phases, training_losses=[3.0, None, 1.0, 0.5])
    assert saved_epoch(folder.of_lowest_training_loss) == 0
    assert progress.best_training_loss == 3.0


@pytest.mark.parametrize("phase", [DISCRIMINATOR, BOTH])
def test_there_is_no_subfolder_if_the_generator_is_never_trained_alone(folder, phase):
    progress = Progress()
    train(folder, [1.0], progress, [phase], training_losses=[1.0])
    assert not folder.of_lowest_training_loss.path.exists()
    assert progress.best_training_loss is None


def test_a_resumed_training_compares_with_its_own_lowest_training_loss(folder):
    progress = Progress(best_training_loss=1.0)
    train(folder, [None, None], progress, training_losses=[2.0, 1.0])
    assert not folder.of_lowest_training_loss.path.exists()
    train(folder, [None], progress, first=2, training_losses=[0.5])
    assert saved_epoch(folder.of_lowest_training_loss) == 2
    assert progress.best_training_loss == 0.5


def test_lowest_losses_are_saved_as_python_floats(folder):
    progress = Progress()
    train(folder, [np.float32(2.0)], progress, training_losses=[np.float32(1.0)])
    assert type(progress.best_training_loss) is type(progress.best_loss) is float
