"""The SAGAN colorizer: its weight counts, its training step, its checkpoints."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.reconstruction import Reconstruction
from metrics.image.psnr import PSNR
from models.adversarial_colorizer import Phase
from models.layers.resizing import enlarge_squares, mean_of_squares
from models.networks.discriminators import vgg_discriminator
from models.sagan import SAGAN

TINY = {"filters": 2, "depth": 1, "attention_level": 1, "discriminator_filters": 2}

pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (4, 16, 16, 2)).astype("float32")
    return lightness, ab


def compiled(adversarial=True, jit_compile=False, **options):
    keras.utils.set_random_seed(1)
    model = SAGAN(**TINY, **options)
    model.compile(
        generator_optimizer=keras.optimizers.Adam(1e-2, beta_1=0.0, beta_2=0.9),
        discriminator_optimizer=keras.optimizers.Adam(1e-2, beta_1=0.0, beta_2=0.9),
        reconstruction=Reconstruction({"l1": 10.0}),
        adversarial=HingeAdversarial() if adversarial else None,
        adversarial_weight=0.1,
        validation_metrics=[PSNR()],
        jit_compile=jit_compile,
    )
    return model


def repeated(batch, batch_size=4):
    return tf.data.Dataset.from_tensor_slices(batch).repeat().batch(batch_size)


def fit(model, batch, steps_per_epoch, **options):
    # Finite, because batch statistics are measured from up to 40 batches.
    batches = repeated(batch).take(steps_per_epoch)
    return model.fit(batches, shuffle=False, verbose=0, **options)


def values(variables):
    return [variable.numpy() for variable in variables]


def same(left, right):
    return all(np.array_equal(a, b) for a, b in zip(left, right, strict=True))


def test_parameters_of_the_default_are_pinned(without_values):
    with without_values():
        model = SAGAN()
    assert model.generator.count_params() == 7_819_757
    assert model.discriminator.count_params() == 4_737_454


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [
        ({"filters": 16}, 1_966_845),
        ({"filters": 16, "encoder": "mobilenet_v2", "depth": 5}, 7_006_596),
        ({"color_stride": 4, "attention_pool": 2}, 7_636_237),
    ],
)
def test_parameters_of_generators_are_pinned(without_values, architecture, parameters):
    with without_values():
        generator = SAGAN.build_generator(architecture)
    assert generator.count_params() == parameters


@pytest.mark.parametrize(("depth", "parameters"), [(4, 1_189_350), (5, 4_737_766)])
def test_parameters_of_discriminators_are_pinned(without_values, depth, parameters):
    with without_values():
        discriminator = vgg_discriminator(filters=16, depth=depth)
    assert discriminator.count_params() == parameters


def test_training_reduces_the_loss(batch):
    model = compiled()
    history = fit(model, batch, steps_per_epoch=2, epochs=2).history
    assert history["l1"][1] < history["l1"][0]
    assert set(history) == {"generator_loss", "l1", "adversarial_loss", "discriminator_loss"}


# --- coarse colors -------------------------------------------------------------------------------


def test_coarse_colors_are_enlarged_to_the_size_of_the_image(batch):
    model = SAGAN(**TINY, color_stride=2)
    assert model.generator(batch[0]).shape == (4, 8, 8, 2)
    assert model(batch[0]).shape == (4, 16, 16, 2)
    np.testing.assert_allclose(
        model(batch[0]), enlarge_squares(model.generator_ema(batch[0]), 2, (16, 16)), atol=1e-6
    )
    # Odd sizes too.
    assert model(batch[0][:, :15, :13]).shape == (4, 15, 13, 2)


def test_training_with_coarse_colors_compares_with_coarse_truth(batch):
    model = compiled(color_stride=2)
    seen = []
    score_both = model.score_both
    model.score_both = lambda real, fake: seen.append((real, fake)) or score_both(real, fake)
    colored = model.enlarge(model.generator(batch[0], training=True), batch[0])
    coarse = enlarge_squares(mean_of_squares(batch[1], 2), 2, (16, 16))
    losses = model.train_step(batch)
    [(real, fake)] = seen
    np.testing.assert_allclose(real[..., 1:], coarse, atol=1e-6)
    np.testing.assert_allclose(fake[..., 1:], colored, atol=1e-5)
    expected = np.mean(np.abs(coarse - colored))
    assert float(losses["l1"]) == pytest.approx(expected, rel=1e-4)


def test_validation_with_coarse_colors_compares_with_the_truth(batch):
    model = compiled(color_stride=2)
    losses = model.test_step(batch)
    assert float(losses["l1"]) == pytest.approx(
        np.mean(np.abs(batch[1] - model(batch[0]))), rel=1e-4
    )


@pytest.mark.in_a_graph
@pytest.mark.slow
def test_coarse_colors_are_trained(batch):
    model = compiled(color_stride=2, attention_pool=2)
    history = fit(model, batch, steps_per_epoch=15, epochs=2).history
    assert history["l1"][1] < history["l1"][0]


def test_settings_without_coarse_colors_build_the_network_as_it_was():
    architecture = SAGAN(**TINY).architecture
    new = ("color_stride", "attention_pool")
    generator = SAGAN.build_generator({k: v for k, v in architecture.items() if k not in new})
    assert generator(np.zeros((1, 16, 16, 1), "float32")).shape == (1, 16, 16, 2)
    assert generator.get_layer("attention_up").pool == 1


def test_training_only_the_generator_does_not_change_the_discriminator(batch):
    model = compiled()
    model.set_phase(Phase.GENERATOR)
    before = values(model.discriminator.variables)
    losses = model.train_step(batch)
    assert same(before, values(model.discriminator.variables))
    assert "discriminator_loss" not in losses


def test_the_step_of_the_discriminator_does_not_change_the_generator(batch):
    model = compiled()
    generator = values(model.generator.trainable_variables)
    model._train_discriminator(tf.zeros((2, 16, 16, 3)), tf.ones((2, 16, 16, 3)))
    assert same(generator, values(model.generator.trainable_variables))
    model.train_step(batch)
    assert not same(generator, values(model.generator.trainable_variables))


def test_the_generator_ema_follows_with_the_warmed_up_decay(batch):
    model = compiled(adversarial=False, ema_decay=0.5)
    average = dict(enumerate(values(model.generator_ema.variables)))
    model.train_step(batch)
    # After one step the decay is (1 + 1) / (10 + 1), still below 0.5.
    decay = 2.0 / 11.0
    for index, new in enumerate(model.generator.variables):
        expected = average[index] * decay + new.numpy() * (1 - decay) if new.trainable else new
        np.testing.assert_allclose(
            model.generator_ema.variables[index], expected, rtol=1e-4, atol=1e-6
        )


def test_batch_statistics_are_those_of_the_features_of_the_generator_ema(batch):
    model = compiled(adversarial=False, ema_decay=0.5)
    model.train_step(batch)
    average = model.generator_ema
    layers = [layer for layer in average.layers if "batch_normalization" in layer.name]
    others = [variable for variable in average.variables if "moving_" not in variable.path]
    before = values(others)
    halves = [batch[0][:2], batch[0][2:]]
    model.update_batch_statistics(halves)
    # The inputs of the first normalization do not depend on statistics.
    probe = keras.Model(average.inputs, layers[0].input)
    features = [probe([half], training=False).numpy() for half in halves]
    for statistic, reduce in (
        (layers[0].moving_mean, np.mean),
        (layers[0].moving_variance, np.var),
    ):
        expected = np.mean([reduce(each, (0, 1, 2)) for each in features], axis=0)
        np.testing.assert_allclose(statistic, expected, rtol=1e-3, atol=1e-6)
    assert same(before, values(others))
    # With its own statistics a batch is normalized as in training.
    model.update_batch_statistics([batch[0]])
    measured = average(batch[0], training=False)
    average.trainable = True
    np.testing.assert_allclose(average(batch[0], training=True), measured, atol=1e-3)


def test_validation_evaluates_the_generator_ema(batch):
    model = compiled()
    model.generator.set_weights([weight + 1.0 for weight in model.generator.get_weights()])
    lightness, ab = batch
    result = model.evaluate(repeated(batch), steps=1, return_dict=True, verbose=0)
    colored = model.generator_ema(lightness, training=False)
    assert result["l1"] == pytest.approx(float(np.abs(ab - colored).mean()), rel=1e-5)
    assert result["loss"] == pytest.approx(10 * result["l1"], rel=1e-5)
    assert set(result) == {"l1", "loss", "psnr"}


def test_validation_weighs_batches_by_their_images(batch):
    model = compiled()
    three_and_one = tf.data.Dataset.from_tensor_slices(batch).batch(3)
    uneven = model.evaluate(three_and_one, return_dict=True, verbose=0)
    whole = model.evaluate(repeated(batch), steps=1, return_dict=True, verbose=0)
    assert uneven["l1"] == pytest.approx(whole["l1"], rel=1e-5)
    assert uneven["psnr"] == pytest.approx(whole["psnr"], rel=1e-5)


@pytest.mark.in_a_graph
@pytest.mark.slow
def test_the_step_is_a_graph_that_is_traced_once_for_each_phase(batch, monkeypatch):
    traces = []
    train_step = SAGAN.train_step

    def recorded(self, data):
        traces.append((self.phase, tf.inside_function()))
        return train_step(self, data)

    monkeypatch.setattr(SAGAN, "train_step", recorded)
    model = compiled()
    model.set_phase(Phase.GENERATOR)
    fit(model, batch, steps_per_epoch=3, epochs=2)
    model.set_phase(Phase.BOTH)
    fit(model, batch, steps_per_epoch=3)
    assert traces == [(Phase.GENERATOR, True), (Phase.BOTH, True)]


@pytest.mark.in_a_graph
@pytest.mark.slow
def test_the_step_compiles_with_xla(batch):
    plain, compiled_step = compiled(), compiled(jit_compile=True)
    expected = fit(plain, batch, steps_per_epoch=1).history
    got = fit(compiled_step, batch, steps_per_epoch=1).history
    for name, value in expected.items():
        # In Adam's first steps a rounding error moves a weight as far as a gradient.
        assert got[name] == pytest.approx(value, abs=1e-2)


@pytest.mark.in_a_graph
@pytest.mark.slow
def test_bfloat16_keeps_weights_and_colors_in_float32(batch):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = compiled()
    finally:
        keras.mixed_precision.set_global_policy("float32")
    history = fit(model, batch, steps_per_epoch=2).history
    assert all(np.isfinite(losses).all() for losses in history.values())
    assert model(batch[0]).dtype == tf.float32
    assert all(weight.dtype == "float32" for weight in model.generator.weights)
