"""The numbers of a training that are written to TensorBoard, and their names."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from callbacks.metrics_to_tensorboard import MetricsToTensorBoard
from jobs.train.curves import read_curves
from models.checkpoints.progress import Progress


@pytest.fixture
def callback(tmp_path):
    callback = MetricsToTensorBoard(tmp_path, Progress(total_steps=10), batch_size=2, every=2)
    callback.set_model(SimpleNamespace(generator_optimizer=keras.optimizers.SGD(1.0)))
    return callback


def test_losses_and_the_rate_are_written_every_few_steps(callback, tmp_path):
    for step in range(11, 16):
        callback.progress.total_steps = step
        callback.model.generator_optimizer.learning_rate = 0.1 * step
        callback.on_train_batch_end(0, {"l1": 1.0 / step})
    rates = [(12, np.float32(1.2)), (14, np.float32(1.4))]
    assert read_curves(tmp_path) == {
        "generator_lr": {"train": rates},
        "l1": {"train": [(12, np.float32(1 / 12)), (14, np.float32(1 / 14))]},
    }


def test_validation_metrics_have_the_names_of_training_metrics(callback, tmp_path):
    callback.on_epoch_end(0, {"l1": 3.0, "generator_loss": 4.0, "val_l1": 1.0, "val_psnr": 20.0})
    assert read_curves(tmp_path) == {
        "l1": {"validation": [(10, 1.0)]},
        "psnr": {"validation": [(10, 20.0)]},
    }
