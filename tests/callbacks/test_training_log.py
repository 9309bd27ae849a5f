"""The log of a training has plain lines."""

import keras
import numpy as np

from callbacks.training_log import TrainingLog


def test_a_line_an_epoch_and_at_most_one_a_minute_within(capsys):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", run_eagerly=True)
    # Each look at the clock takes ten seconds.
    times = iter(range(0, 10_000, 10))
    log = TrainingLog(3, seconds=60.0, clock=lambda: next(times))
    data = np.zeros((8, 1)), np.ones((8, 1))
    options = {"batch_size": 1, "initial_epoch": 1, "epochs": 2, "validation_data": data}
    model.fit(*data, callbacks=[log], verbose=0, **options)
    within, end = capsys.readouterr().out.splitlines()
    assert within.startswith("Epoch 2/3: step 6 of 8, 70 s, loss ")
    assert end.startswith("Epoch 2/3: 8 steps, 100 s, 11250 ms per step, loss ")
    assert "val_loss" in end
    assert end.isascii()
    assert end.isprintable()
