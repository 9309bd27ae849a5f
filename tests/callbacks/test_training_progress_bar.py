"""The progress bar shows the epochs of the whole training."""

import keras
import numpy as np
import pytest

from callbacks.training_progress_bar import TrainingProgressBar


@pytest.fixture
def fit():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    data = np.zeros((2, 1)), np.zeros((2, 1))

    def call(**options):
        model.fit(*data, callbacks=[TrainingProgressBar(5)], **options)

    return call


def test_a_fit_of_one_epoch_is_shown_as_part_of_the_training(fit, capsys):
    fit(initial_epoch=1, epochs=2)
    output = capsys.readouterr().out
    assert "Epoch 2/5" in output
    assert "loss" in output


def test_a_silent_fit_prints_nothing(fit, capsys):
    fit(epochs=1, verbose=0)
    assert capsys.readouterr().out == ""
