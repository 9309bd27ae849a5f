"""The best weights are those of the lowest validation loss, across a resume."""

import keras
import numpy as np
import pytest

from callbacks.best_weights import BestWeights
from models.weights_folder import Progress, WeightsFolder


class Model(keras.Model):
    def __init__(self):
        super().__init__()
        self.slow_generator = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])


@pytest.fixture
def folder(tmp_path):
    return WeightsFolder(tmp_path)


def kept(folder, losses, progress):
    """Which of the epochs' weights are kept: the weight of each epoch is its number."""
    callback = BestWeights(folder, progress)
    model = Model()
    callback.set_model(model)
    for epoch, loss in enumerate(losses):
        model.slow_generator.set_weights([np.array([[epoch]]), np.zeros(1)])
        callback.on_epoch_end(epoch, {} if loss is None else {"val_loss": loss})
    folder.load_generator(model.slow_generator)
    return model.slow_generator.get_weights()[0].item()


def test_lowest_validation_loss_is_kept(folder):
    progress = Progress()
    assert kept(folder, [3.0, 1.0, 2.0], progress) == 1
    assert progress.best_loss == 1.0


def test_without_validation_the_last_is_kept(folder):
    assert kept(folder, [None, None], Progress()) == 1


def test_a_resumed_training_compares_with_its_own_past(folder):
    kept(folder, [1.0], Progress())
    before = (folder.path / "generator.weights.h5").read_bytes()
    kept(folder, [2.0, 3.0], Progress(best_loss=1.0))
    assert (folder.path / "generator.weights.h5").read_bytes() == before
