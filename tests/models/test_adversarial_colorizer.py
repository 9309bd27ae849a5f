"""Compiling and training with what Keras offers for any model."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses import HingeAdversarial, Reconstruction
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN

pytestmark = pytest.mark.usefixtures("without_graphs")


def sagan(**options):
    keras.utils.set_random_seed(0)
    return SAGAN(filters=2, depth=1, attention_level=1, discriminator_filters=2, **options)


def pix2pix():
    """A colorizer whose steps take less time."""
    keras.utils.set_random_seed(0)
    return Pix2Pix(filters=2, depth=2, discriminator="pixel", discriminator_filters=2)


def images(count=4, seed=0):
    """Lightness and ab of random images."""
    random = np.random.default_rng(seed)
    shapes = [(count, 8, 8, 1), (count, 8, 8, 2)]
    return [random.uniform(-1, 1, shape).astype("float32") for shape in shapes]


def serialized(thing):
    return keras.saving.serialize_keras_object(thing)


@pytest.mark.parametrize(
    ("optimizer", "reconstruction", "adversarial"),
    [
        ("adam", {"l1": 10.0}, "hinge"),
        (
            serialized(keras.optimizers.Adam()),
            serialized(Reconstruction({"l1": 10.0})),
            serialized(HingeAdversarial()),
        ),
        (keras.optimizers.Adam(), Reconstruction({"l1": 10.0}), HingeAdversarial()),
    ],
    ids=["names", "configs", "objects"],
)
def test_names_configs_and_objects_are_equivalent(optimizer, reconstruction, adversarial):
    model = pix2pix()
    model.compile(optimizer, "adam", reconstruction, adversarial)
    assert model.optimizer is model.generator_optimizer
    losses = model.fit(*images(), batch_size=2, shuffle=False, verbose=0).history
    assert losses["generator_loss"][0] == pytest.approx(
        10.0 * losses["l1"][0] + losses["adversarial_loss"][0]
    )
    assert type(model.optimizer) is keras.optimizers.Adam
    assert type(model.adversarial) is HingeAdversarial


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"generator_optimizer": "adamant"}, "adamant"),
        ({"adversarial": "hing"}, "Received: adversarial='hing'"),
        ({"reconstruction": {"l3": 1.0}}, "Received: `weights="),
        ({"generator_optimizer": keras.optimizers.Adam(use_ema=True)}, "`use_ema=True`"),
        (
            {
                "discriminator_optimizer": keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.Adam()
                )
            },
            "do not scale their losses",
        ),
    ],
)
def test_unsuitable_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        pix2pix().compile(**arguments)


def test_one_optimizer_for_both_networks_is_refused():
    adam = keras.optimizers.Adam()
    with pytest.raises(ValueError, match="optimizers of their own"):
        pix2pix().compile(adam, adam)


def test_biases_and_normalizations_are_not_decayed():
    trained = []
    for decay in (0.0, 0.5):
        model = pix2pix()
        model.compile(keras.optimizers.AdamW(0.01, weight_decay=decay), "adam", {"l1": 1.0})
        model.fit(*images(), verbose=0)
        trained.append(model.generator.trainable_variables)
    decayed = {
        left.name for left, right in zip(*trained, strict=True) if not np.array_equal(left, right)
    }
    assert "kernel" in decayed
    assert decayed.isdisjoint({"bias", "gamma", "beta"})


def test_mixed_float16_gradients_are_not_divided():
    losses = {}
    for policy in ("float32", "mixed_float16"):
        keras.mixed_precision.set_global_policy(policy)
        model = pix2pix()
        model.compile("sgd", "sgd", {"l1": 1.0})
        assert type(model.optimizer) is keras.optimizers.SGD
        history = model.fit(*images(), batch_size=2, shuffle=False, verbose=0)
        losses[policy] = history.history["generator_loss"]
    np.testing.assert_allclose(losses["mixed_float16"], losses["float32"], rtol=1e-2)


def test_callbacks_of_keras_work(tmp_path):
    model = pix2pix()
    model.compile("adam", "adam", {"l1": 1.0}, "hinge")
    callbacks = keras.callbacks
    history = model.fit(
        tf.data.Dataset.from_tensor_slices(tuple(images())).batch(2),
        validation_data=tuple(images(seed=1)),
        epochs=3,
        verbose=0,
        callbacks=[
            callbacks.LearningRateScheduler(lambda epoch, rate: 1e-3 / (epoch + 1)),
            callbacks.ReduceLROnPlateau("val_loss", factor=0.1, patience=1, min_delta=1e9),
            callbacks.ModelCheckpoint(tmp_path / "best.keras", "val_loss", save_best_only=True),
            callbacks.EarlyStopping("val_loss", patience=9, restore_best_weights=True),
            callbacks.BackupAndRestore(tmp_path / "backup"),
            callbacks.CSVLogger(tmp_path / "log.csv"),
            callbacks.TensorBoard(tmp_path / "logs"),
        ],
    ).history
    np.testing.assert_allclose(history["learning_rate"], [1e-3, 5e-4, 1e-3 / 3], rtol=1e-5)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-4 / 3)
    best = keras.saving.load_model(tmp_path / "best.keras")
    losses = best.evaluate(*images(seed=1), verbose=0, return_dict=True)
    assert losses["loss"] == pytest.approx(min(history["val_loss"]), rel=1e-5)
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 4
    assert list((tmp_path / "logs").glob("*/events*"))


def test_the_optimizer_of_the_encoder_follows_the_learning_rate(tiny_encoder):
    model = SAGAN(filters=2, encoder="vgg16", attention_level=5, discriminator_filters=2, depth=1)
    rate = keras.optimizers.schedules.ExponentialDecay(1e-3, 1, 0.5)
    model.compile(keras.optimizers.Adam(rate), "adam", {"l1": 1.0}, encoder_lr_share=0.25)
    lightness, ab = (tf.image.resize(array, [32, 32]) for array in images())
    for step in range(3):
        model.train_step((lightness, ab))
        assert float(model.encoder_optimizer.learning_rate) == pytest.approx(2.5e-4 * 0.5**step)
    assert int(model.encoder_optimizer.iterations) == 3


def test_predictions_are_the_colors_of_the_ema_generator():
    model = pix2pix()
    model.compile("adam", "adam", {"l1": 1.0})
    lightness, ab = images()
    model.fit(lightness, ab, verbose=0)
    expected = model.generator_ema(lightness, training=False)
    np.testing.assert_allclose(model.predict(lightness, verbose=0), expected, atol=1e-6)
    batches = tf.data.Dataset.from_tensor_slices((lightness, ab)).batch(3)
    np.testing.assert_allclose(model.predict(batches, verbose=0), expected, atol=1e-6)
