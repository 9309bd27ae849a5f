"""Batch statistics are measured once per epoch, before validation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from callbacks.batch_statistics import BatchStatistics


class Model(keras.Model):
    """Records its calls in order."""

    def __init__(self):
        super().__init__()
        self.events = []
        self.built = True

    def update_batch_statistics(self, batches):
        self.events.append(("measured", [float(batch) for batch in batches]))

    def train_step(self, data):
        return {"loss": tf.constant(1.0)}

    def test_step(self, data):
        self.events.append("judged")
        return {"loss": tf.constant(1.0)}


@pytest.mark.parametrize("has_validation", [True, False])
def test_statistics_are_measured_once_per_epoch_and_before_validation(has_validation):
    model = Model()
    model.compile(run_eagerly=True)
    batches = tf.data.Dataset.from_tensors(np.zeros((1, 1), "float32")).repeat()
    starts = iter([10.0, 20.0])
    model.fit(
        batches,
        epochs=2,
        steps_per_epoch=1,
        shuffle=False,
        verbose=0,
        validation_data=batches if has_validation else None,
        validation_steps=1,
        callbacks=[BatchStatistics(lambda: [next(starts)])],
    )
    validation = ["judged"] if has_validation else []
    assert model.events == [("measured", [10.0]), *validation, ("measured", [20.0]), *validation]
