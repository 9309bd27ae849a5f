"""The weights that color are those of the lowest validation loss, or with an adversary the last."""

import keras
import numpy as np
import pytest

from callbacks.save_best_then_last import SaveBestThenLast
from models.adversarial_colorizer import Phase
from models.checkpoints.folder import WeightsFolder
from models.checkpoints.progress import Progress

ALONE, JUDGE, BOTH = Phase.GENERATOR, Phase.DISCRIMINATOR, Phase.BOTH


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.generator_ema = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        self.phase = ALONE


@pytest.fixture
def folder(tmp_path):
    folder = WeightsFolder(tmp_path)
    folder.write_settings({"model": "any", "architecture": {}})
    return folder


def train(folder, losses, progress, phases=None, first=0, training_losses=None):
    """Ends an epoch for each loss: the weight of each epoch is its number."""
    callback = SaveBestThenLast(folder, progress)
    model = Model()
    callback.set_model(model)
    for epoch, loss in enumerate(losses):
        model.phase = phases[epoch] if phases else ALONE
        model.generator_ema.set_weights([np.array([[first + epoch]]), np.zeros(1)])
        logs = {} if loss is None else {"val_loss": loss}
        if training_losses and training_losses[epoch] is not None:
            logs["generator_loss"] = training_losses[epoch]
        callback.on_epoch_end(epoch, logs)


def kept(folder):
    """The epoch whose weights are there."""
    model = Model()
    folder.load_generator(model.generator_ema)
    return model.generator_ema.get_weights()[0].item()


def test_lowest_validation_loss_is_kept(folder):
    progress = Progress()
    train(folder, [3.0, 1.0, 2.0], progress)
    assert kept(folder) == 1
    assert progress.best_loss == 1.0
    assert not folder.of_lowest_loss.path.exists()


def test_without_validation_the_last_is_kept(folder):
    train(folder, [None, None], Progress(), [ALONE, BOTH])
    assert kept(folder) == 1
    assert not folder.of_lowest_loss.path.exists()


def test_a_resumed_training_compares_with_its_own_past(folder):
    train(folder, [1.0], Progress())
    before = (folder.path / "generator.weights.h5").read_bytes()
    train(folder, [2.0, 3.0], Progress(best_loss=1.0))
    assert (folder.path / "generator.weights.h5").read_bytes() == before


def test_with_an_adversary_the_last_colors_and_the_lowest_loss_is_kept_beside(folder):
    progress = Progress()
    train(folder, [3.0, 1.0, 2.0], progress, [BOTH] * 3)
    assert (kept(folder), kept(folder.of_lowest_loss)) == (2, 1)
    assert progress.best_loss == 1.0
    assert folder.of_lowest_loss.read_settings() == folder.read_settings()


def test_the_best_of_the_generator_alone_is_kept_when_the_adversary_comes(folder):
    progress = Progress()
    train(folder, [2.0, 1.0, 1.5, 1.0], progress, [ALONE, ALONE, ALONE, JUDGE])
    assert kept(folder) == 1
    train(folder, [4.0, 3.0], progress, [BOTH, BOTH], first=4)
    assert (kept(folder), kept(folder.of_lowest_loss)) == (5, 1)
    train(folder, [0.5, 0.7], progress, [BOTH, BOTH], first=6)
    assert (kept(folder), kept(folder.of_lowest_loss)) == (7, 6)


# --- the lowest loss in training -----------------------------------------------------------------


def test_lowest_loss_in_training_is_kept_beside(folder):
    progress = Progress()
    train(folder, [1.0, 2.0, 3.0, 4.0], progress, training_losses=[3.0, 2.0, 1.0, 1.0])
    assert (kept(folder), kept(folder.of_lowest_training_loss)) == (0, 2)
    assert (progress.best_loss, progress.best_training_loss) == (1.0, 1.0)
    assert folder.of_lowest_training_loss.read_settings() == folder.read_settings()


def test_without_validation_the_lowest_loss_in_training_is_kept_beside_the_last(folder):
    train(folder, [None] * 3, Progress(), training_losses=[3.0, 1.0, 2.0])
    assert (kept(folder), kept(folder.of_lowest_training_loss)) == (2, 1)


def test_with_an_adversary_the_loss_in_training_says_little(folder):
    progress = Progress()
    phases = [ALONE, JUDGE, BOTH, BOTH]
    train(folder, [1.0] * 4, progress, phases, training_losses=[3.0, None, 1.0, 0.5])
    assert kept(folder.of_lowest_training_loss) == 0
    assert progress.best_training_loss == 3.0


@pytest.mark.parametrize("phase", [JUDGE, BOTH])
def test_where_the_generator_never_learns_alone_there_is_no_such_folder(folder, phase):
    progress = Progress()
    train(folder, [1.0], progress, [phase], training_losses=[1.0])
    assert not folder.of_lowest_training_loss.path.exists()
    assert progress.best_training_loss is None


def test_a_resumed_training_compares_with_its_own_lowest_loss_in_training(folder):
    progress = Progress(best_training_loss=1.0)
    train(folder, [None, None], progress, training_losses=[2.0, 1.0])
    assert not folder.of_lowest_training_loss.path.exists()
    train(folder, [None], progress, first=2, training_losses=[0.5])
    assert kept(folder.of_lowest_training_loss) == 2
    assert progress.best_training_loss == 0.5


def test_the_lowest_loss_is_kept_as_a_number_that_can_be_written_down(folder):
    progress = Progress()
    train(folder, [np.float32(2.0)], progress, training_losses=[np.float32(1.0)])
    assert type(progress.best_training_loss) is type(progress.best_loss) is float
