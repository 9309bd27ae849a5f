"""An encoder that is frozen at first and trained later, with and without its own optimizer."""

import itertools

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.reconstruction import Reconstruction
from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress
from models.checkpoints.store import CheckpointStore
from models.chromagan import ChromaGAN
from models.encoder_decoder import EncoderDecoder
from models.pix2pix import Pix2Pix
from models.sagan import SAGAN

RATE, BETA_1, BETA_2 = 1e-3, 0.5, 0.999
TINY = {"filters": 2, "encoder": "vgg16", "discriminator_filters": 2}
COLORIZERS = {
    "encoder_decoder": lambda: EncoderDecoder(**TINY, skip_connections=True),
    "pix2pix": lambda: Pix2Pix(**TINY, norm="instance"),
    "sagan": lambda: SAGAN(**TINY, attention_level=1),
    "chromagan": lambda: ChromaGAN(**TINY, global_features="pool", classes=0),
}


pytestmark = pytest.mark.usefixtures("tiny_normalized_encoder")


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (2, 32, 32, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (2, 32, 32, 2)).astype("float32")
    return lightness, ab


def adam():
    return keras.optimizers.Adam(RATE, BETA_1, BETA_2)


def compiled(own_optimizer=True, name="encoder_decoder", adversarial=None, build=None, **options):
    """A compiled colorizer, by default with a separate optimizer for its encoder."""
    keras.utils.set_random_seed(1)
    model = (build or COLORIZERS[name])()
    if isinstance(model, EncoderDecoder):
        # The last convolution starts with zeros, so that no gradient reaches the layers before.
        last = model.generator.get_layer("ab")
        last.kernel.assign(np.random.default_rng(1).normal(0, 0.5, last.kernel.shape))
        model.generator_ema.set_weights(model.generator.get_weights())
    model.compile(
        adam(),
        adam(),
        Reconstruction({"mse": 1.0}),
        adversarial,
        encoder_lr_share=1.0 if own_optimizer else None,
        **options,
    )
    return model


def with_frozen_statistics():
    return EncoderDecoder(**TINY, freeze_encoder_statistics=True)


def encoder_of(network):
    return network.get_layer("vgg16")


def values(variables):
    return [variable.numpy() for variable in variables]


def changed(before, variables):
    """Whether each variable differs from its value before."""
    pairs = zip(before, values(variables), strict=True)
    return [not np.array_equal(old, new) for old, new in pairs]


def decoder_variables(model):
    encoder_ids = {id(variable) for variable in encoder_of(model.generator).variables}
    return [each for each in model.generator.variables if id(each) not in encoder_ids]


# --- frozen --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "adversarial", "own_optimizer"),
    [
        ("encoder_decoder", False, True),
        ("encoder_decoder", False, False),
        pytest.param("encoder_decoder", True, True, marks=pytest.mark.slow),
        ("pix2pix", True, True),
        pytest.param("chromagan", False, True, marks=pytest.mark.slow),
    ],
)
def test_encoder_is_unchanged_while_frozen_and_trained_afterwards(
    batch, name, adversarial, own_optimizer
):
    model = compiled(own_optimizer, name, VanillaAdversarial(0.0) if adversarial else None)
    encoders = [encoder_of(model.generator), encoder_of(model.generator_ema)]
    # The statistics of its normalizations are included.
    before = [values(each.variables) for each in encoders]
    decoder = values(decoder_variables(model))
    average = values(model.generator_ema.variables)
    model.freeze_encoder(True)
    model.train_step(batch)
    for old, new in zip(before, encoders, strict=True):
        assert not any(changed(old, new.variables))
    assert any(changed(decoder, decoder_variables(model)))
    assert any(changed(average, model.generator_ema.variables))
    if name == "encoder_decoder":
        assert all(changed(decoder, decoder_variables(model)))
    if own_optimizer:
        assert int(model.encoder_optimizer.iterations) == 0
    model.freeze_encoder(False)
    model.train_step(batch)
    for old, new in zip(before, encoders, strict=True):
        # Instance normalization cancels an offset before it, which is then not trained.
        assert np.mean(changed(old, new.variables)) > 0.9
    if own_optimizer:
        assert int(model.encoder_optimizer.iterations) == 1


@pytest.mark.parametrize(
    "name",
    [
        *("encoder_decoder", "pix2pix", "chromagan"),
        pytest.param("sagan", marks=pytest.mark.slow),
    ],
)
def test_every_colorizer_has_an_encoder_to_freeze(name):
    model = compiled(name=name)
    all_ids = {id(each) for each in model.generator_variables}
    encoder_ids = {id(each) for each in encoder_of(model.generator).trainable_variables}
    assert len(model.encoder_optimizer.variables) == 2 + 2 * len(encoder_ids)
    for frozen in (True, False):
        model.freeze_encoder(frozen)
        trained = {id(each) for each in model.generator_variables}
        assert trained == (all_ids - encoder_ids if frozen else all_ids)


def test_a_frozen_encoder_normalizes_with_its_moving_statistics(batch):
    model = compiled()
    encoder = encoder_of(model.generator)
    gray = model.generator.get_layer("gray")(batch[0])
    in_inference = encoder(gray, training=False)[0]
    model.freeze_encoder(True)
    np.testing.assert_allclose(encoder(gray, training=True)[0], in_inference, atol=1e-6)
    model.freeze_encoder(False)
    assert np.abs(encoder(gray, training=True)[0] - in_inference).max() > 0.1


def test_class_head_is_trained_with_the_decoder(batch):
    model = compiled(build=lambda: ChromaGAN(**TINY, global_features="pool", classes=4))
    model.freeze_encoder(True)
    head = values(model.class_head.trainable_variables)
    before = values(encoder_of(model.generator).variables)
    distributions = np.full((2, 4), [0.7, 0.1, 0.1, 0.1], "float32")
    model.train_step((*batch, distributions))
    assert any(changed(head, model.class_head.trainable_variables))
    assert not any(changed(before, encoder_of(model.generator).variables))
    model.freeze_encoder(False)
    model.train_step((*batch, distributions))
    assert any(changed(before, encoder_of(model.generator).variables))
    assert int(model.generator_optimizer.iterations) == 2
    assert int(model.encoder_optimizer.iterations) == 1


@pytest.mark.usefixtures("without_graphs")
def test_an_encoder_is_frozen_with_several_discriminator_steps(batch):
    model = compiled(adversarial=VanillaAdversarial(0.0), discriminator_steps=2)
    before = values(encoder_of(model.generator).trainable_variables)
    model.freeze_encoder(True)
    for _ in range(2):
        model.train_on_batch(*batch)
    model.freeze_encoder(False)
    assert not any(changed(before, encoder_of(model.generator).trainable_variables))
    for iterations in (0, 1):
        model.train_on_batch(*batch)
        assert int(model.encoder_optimizer.iterations) == iterations
    assert all(changed(before, encoder_of(model.generator).trainable_variables))
    assert int(model.generator_optimizer.iterations) == 2


# --- after freezing ------------------------------------------------------------------------------


def test_unfreezing_does_not_change_the_optimizer_of_the_decoder(batch):
    model = compiled()
    model.freeze_encoder(True)
    for _ in range(2):
        model.train_step(batch)
    before = values(model.generator_optimizer.variables)
    assert int(model.generator_optimizer.iterations) == 2
    model.freeze_encoder(False)
    assert not any(changed(before, model.generator_optimizer.variables))
    model.train_step(batch)
    assert int(model.generator_optimizer.iterations) == 3
    assert int(model.encoder_optimizer.iterations) == 1


def test_unfreezing_does_not_change_the_step_of_the_decoder(batch):
    # Frozen statistics give both models the same encoder features.
    models = [compiled(build=with_frozen_statistics) for _ in range(2)]
    for model in models:
        model.freeze_encoder(True)
        model.train_step(batch)
    models[1].freeze_encoder(False)
    before = values(decoder_variables(models[0]))
    for model in models:
        model.train_step(batch)
    pairs = [values(decoder_variables(model)) for model in models]
    assert all(changed(before, decoder_variables(models[0])))
    for frozen, free in zip(*pairs, strict=True):
        np.testing.assert_allclose(free, frozen, atol=1e-6)


def first_steps_of_the_encoder(batch, own_optimizer, count=1000):
    """The size of the first step of each encoder weight, relative to the learning rate."""
    model = compiled(own_optimizer)
    model.freeze_encoder(True)
    model.train_step(batch)
    model.generator_optimizer.iterations.assign(count)
    model.freeze_encoder(False)
    trained = encoder_of(model.generator).trainable_variables
    before = values(trained)
    model.train_step(batch)
    pairs = zip(before, values(trained), strict=True)
    return np.concatenate([np.abs(new - old).ravel() for old, new in pairs]) / RATE


def test_first_step_of_the_encoder_is_as_large_as_its_learning_rate(batch):
    steps = first_steps_of_the_encoder(batch, own_optimizer=True)
    assert steps.max() <= 1.001
    # It does not depend on the size of the gradient.
    assert np.median(steps) == pytest.approx(1.0, abs=0.01)


@pytest.mark.slow
def test_with_the_step_count_of_the_decoder_it_would_be_many_times_too_large(batch):
    steps = first_steps_of_the_encoder(batch, own_optimizer=False)
    # Adam corrects its moments as if they were means of a thousand gradients, but they contain a
    # single one: m = (1 - b1) g and v = (1 - b2) g^2.
    correction = np.sqrt(1 - BETA_2**1001) / (1 - BETA_1**1001)
    by_hand = correction * (1 - BETA_1) / np.sqrt(1 - BETA_2)
    assert by_hand > 12
    assert np.median(steps) == pytest.approx(by_hand, rel=0.01)


# --- the optimizer of the encoder ----------------------------------------------------------------


def test_without_an_encoder_optimizer_the_generator_optimizer_trains_all_variables(batch, tmp_path):
    model = compiled(own_optimizer=False)
    trained = model.generator.trainable_variables
    # Iterations, learning rate, and two moments of each variable.
    assert len(model.generator_optimizer.variables) == 2 + 2 * len(trained)
    model.train_step(batch)
    assert all(np.any(moment != 0) for moment in values(model.generator_optimizer.variables[2:]))
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        names = set(file)
    assert {"generator_optimizer", "discriminator_optimizer"} < names
    assert "encoder_optimizer" not in names


def test_each_optimizer_has_the_variables_that_it_trains():
    model = compiled()
    trained = encoder_of(model.generator).trainable_variables
    decoder_count = len(model.generator.trainable_variables) - len(trained)
    assert len(trained) == 20
    assert len(model.encoder_optimizer.variables) == 2 + 2 * 20
    assert len(model.generator_optimizer.variables) == 2 + 2 * decoder_count


def test_two_optimizers_equal_one_if_nothing_was_frozen(batch):
    models = [compiled(own_optimizer) for own_optimizer in (True, False)]
    before = values(models[0].generator.trainable_variables)
    for model in models:
        for _ in range(2):
            model.train_step(batch)
    assert all(changed(before, models[0].generator.trainable_variables))
    for two, one in zip(*(values(model.generator.variables) for model in models), strict=True):
        np.testing.assert_allclose(two, one, atol=1e-6)


@pytest.mark.parametrize("own_optimizer", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_learning_rates_reach_all_optimizers(batch, own_optimizer):
    model = compiled(own_optimizer)
    model.set_learning_rates(0.25, 0.125)
    model.train_step(batch)
    assert float(model.generator_optimizer.learning_rate) == 0.25
    assert float(model.discriminator_optimizer.learning_rate) == 0.125
    if own_optimizer:
        assert float(model.encoder_optimizer.learning_rate) == 0.25


def test_stopped_and_resumed_equals_never_stopped(batch, tmp_path):
    def train(model, steps):
        for step in steps:
            model.freeze_encoder(step < 2)
            model.train_step(batch)

    def fresh():
        return compiled(build=lambda: EncoderDecoder(**TINY))

    def resumed(model, step):
        again = fresh()
        store = CheckpointStore(tmp_path)
        store.load(store.save(model, Progress(total_steps=step), {}, keep=1), again)
        optimizers = [each.encoder_optimizer.variables for each in (model, again)]
        assert not any(changed(values(optimizers[0]), optimizers[1]))
        return again

    straight, stopped = fresh(), fresh()
    train(straight, range(4))
    # The stops are while the encoder is frozen, and after.
    train(stopped, range(1))
    stopped = resumed(stopped, 1)
    train(stopped, range(1, 3))
    assert int(stopped.encoder_optimizer.iterations) == 1
    stopped = resumed(stopped, 3)
    train(stopped, range(3, 4))
    assert int(stopped.encoder_optimizer.iterations) == 2
    pairs = zip(straight.generator.variables, stopped.generator.variables, strict=True)
    for left, right in pairs:
        np.testing.assert_allclose(left, right, atol=1e-6, err_msg=left.path)


# --- in fit --------------------------------------------------------------------------------------


def test_fit_trains_with_a_new_graph_after_unfreezing(batch):
    model = compiled(build=lambda: EncoderDecoder(**TINY))
    assert model.phase is Phase.GENERATOR
    encoder = encoder_of(model.generator)
    recorded = [values(encoder.variables)]
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: model.freeze_encoder(epoch < 1),
        on_epoch_end=lambda epoch, logs: recorded.append(values(encoder.variables)),
    )
    # Finite, because batch statistics are measured from up to 40 batches.
    batches = tf.data.Dataset.from_tensors(batch).repeat(2)
    model.fit(batches, epochs=2, shuffle=False, verbose=0, callbacks=[callback])
    trained = [
        any(np.any(old != new) for old, new in zip(*pair, strict=True))
        for pair in itertools.pairwise(recorded)
    ]
    assert trained == [False, True]
    assert int(model.generator_optimizer.iterations) == 4
    assert int(model.encoder_optimizer.iterations) == 2


def test_graph_is_rebuilt_only_if_something_changes():
    model = compiled()
    model.make_train_function()
    functions = []
    for frozen in (False, True, True, False, False):
        model.freeze_encoder(frozen)
        functions.append(model.train_function)
    same = [left is right for left, right in itertools.pairwise(functions)]
    assert same == [False, True, False, True]
