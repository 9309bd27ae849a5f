"""Updates that XLA compiles change weights as other updates do."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.reconstruction import Reconstruction
from models.compiled_update import compiled_update
from models.pix2pix import Pix2Pix


def trained(steps=2):
    """All weights after some steps: those of the networks, the EMA generator and the optimizers."""
    keras.utils.set_random_seed(0)
    model = Pix2Pix(depth=2, filters=2, discriminator="pixel", discriminator_filters=2)
    adams = [keras.optimizers.Adam(0.01, beta_1=0.5) for _ in range(2)]
    model.compile(*adams, Reconstruction({"l1": 10.0}), VanillaAdversarial(0.0))
    random = np.random.default_rng(0)
    data = [tf.constant(random.uniform(-1, 1, (2, 16, 16, each)), "float32") for each in (1, 2)]
    for _ in range(steps):
        model.train_step(data)
    parts = (model.generator, model.generator_ema, model.discriminator, *adams)
    return [np.asarray(each) for part in parts for each in part.variables]


@pytest.fixture
def any_number_is_many(monkeypatch):
    monkeypatch.setattr("models.compiled_update.MANY_WEIGHTS", 1)


def test_compiled_updates_are_the_same(request):
    wanted = trained()
    request.getfixturevalue("any_number_is_many")
    found = trained()
    assert len(found) == len(wanted) > 40
    for left, right in zip(found, wanted, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-5)


def test_many_weights_are_compiled(any_number_is_many):
    weights = tf.Variable(tf.zeros(3))

    def update(more):
        weights.assign_add(more)

    add = compiled_update(update, 3)
    add(tf.ones(3))
    np.testing.assert_array_equal(weights, [1, 1, 1])
    assert "HloModule" in add.experimental_get_compiler_ir(tf.ones(3))(stage="hlo")


def test_few_weights_are_not_compiled():
    update = list.append
    assert compiled_update(update, 100) is update


def test_under_a_strategy_nothing_is_compiled(any_number_is_many):
    update = list.append
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        assert compiled_update(update, 100) is update
