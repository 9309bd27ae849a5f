"""Batch statistics are measured once per epoch, before validation."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from models.batch_statistics import BatchStatistics, first_lightness
from models.pix2pix import Pix2Pix


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


class Batches(keras.utils.PyDataset):
    """Batches of two images."""

    def __init__(self, arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 2

    def __getitem__(self, number):
        return tuple(array[2 * number :][:2] for array in self.arrays)


@pytest.mark.usefixtures("without_graphs")
@pytest.mark.parametrize("kind", ["arrays", "a dataset", "a PyDataset"])
def test_fit_measures_the_statistics_of_its_own_images(kind):
    random = np.random.default_rng(0)
    arrays = [random.uniform(-1, 1, (4, 8, 8, count)).astype("float32") for count in (1, 2)]
    data = {
        "arrays": arrays,
        "a dataset": [tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(2)],
        "a PyDataset": [Batches(arrays)],
    }[kind]
    keras.utils.set_random_seed(0)
    model = Pix2Pix(filters=2, depth=2, discriminator="pixel", discriminator_filters=2)
    model.compile("adam", "adam", {"l1": 1.0})
    options = {"batch_size": 2} if kind == "arrays" else {}
    model.fit(*data, **options, shuffle=False, verbose=0)
    found = [np.array(variable) for variable in model.generator_ema.non_trainable_variables]
    model.update_batch_statistics([arrays[0][:2], arrays[0][2:]])
    for left, right in zip(found, model.generator_ema.non_trainable_variables, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6)


def test_images_that_can_be_read_only_once_are_not_measured():
    with pytest.warns(UserWarning, match="`x` can be read only once"):
        assert list(first_lightness(iter([(1, 2)]))) == []
