"""The pix2pix colorizer: its networks and its step equal those of the paper in PyTorch."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.gradient_penalty import gradient_penalty
from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
from losses.reconstruction import Reconstruction
from models.adversarial_colorizer import Phase
from models.networks.discriminators import patch_discriminator
from models.networks.pix2pix_unet import pix2pix_unet
from models.pix2pix import Pix2Pix

REFERENCE = Path(__file__).parents[1] / "reference" / "pix2pix_pytorch.npz"
TINY = {"filters": 2, "depth": 3, "discriminator_filters": 2}
# For the gradient penalty, whose gradients take long.
TINIER = {"depth": 2, "discriminator": "pixel", "norm": "instance"}


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


def listed(reference, prefix):
    """The arrays `prefix/0`, `prefix/1` ... of the reference."""
    count = sum(name.startswith(prefix + "/") for name in reference)
    return [reference[f"{prefix}/{number}"] for number in range(count)]


def in_order(network):
    """The trainable weights of a network in the order of its layers, kernel first."""
    return [weight for layer in network.layers for weight in layer.trainable_variables]


def assign(network, arrays):
    for weight, array in zip(in_order(network), arrays, strict=True):
        weight.assign(array)


def trained(network):
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def from_pytorch(reference):
    """The model with the weights and the optimizers of the reference."""
    model = Pix2Pix(filters=2, depth=5, discriminator_filters=2)
    assign(model.generator, listed(reference, "generator/before"))
    assign(model.discriminator, listed(reference, "discriminator/before"))
    optimizers = [keras.optimizers.Adam(2e-4, beta_1=0.5, beta_2=0.999) for _ in range(2)]
    model.compile(
        *optimizers, Reconstruction({"l1": 100.0}), VanillaAdversarial(label_smoothing=0.0)
    )
    return model


def test_networks_of_the_paper_have_as_many_weights(reference, without_values):
    with without_values():
        generator, discriminator = pix2pix_unet(), patch_discriminator()
    assert trained(generator) == reference["parameters/generator"] == 54_409_858
    assert trained(discriminator) == reference["parameters/discriminator"] == 2_765_633


def test_outputs_equal_those_of_pytorch(reference):
    model = from_pytorch(reference)
    lightness, true_ab = reference["lightness"], reference["true_ab"]
    colored_ab = model.generator(lightness, training=True)
    np.testing.assert_allclose(colored_ab, reference["colored_ab"], atol=1e-4)
    real, fake = (tf.concat([lightness, ab], axis=-1) for ab in (true_ab, colored_ab))
    real_logits, fake_logits = model.score_both(real, fake)
    np.testing.assert_allclose(real_logits, reference["real_logits"], atol=1e-4)
    np.testing.assert_allclose(fake_logits, reference["fake_logits"], atol=1e-4)


def test_step_equals_that_of_pytorch(reference):
    model = from_pytorch(reference)
    losses = model.train_step((reference["lightness"], reference["true_ab"]))
    for name in ("discriminator_loss", "adversarial_loss", "l1", "generator_loss"):
        assert float(losses[name]) == pytest.approx(reference[name].item(), rel=1e-4), name
    for name in ("generator", "discriminator"):
        before, after = (listed(reference, f"{name}/{when}") for when in ("before", "after"))
        for weight, old, new in zip(in_order(getattr(model, name)), before, after, strict=True):
            # Adam's first step is as large for a rounding error as for any other gradient.
            moved, wanted = weight.numpy() - old, new - old
            assert np.mean(np.abs(moved - wanted) > 2e-5) < 0.02, (name, weight.path)


def test_gradient_penalty_equals_that_of_pytorch(reference):
    critic = patch_discriminator(2, norm="none")
    assign(critic, listed(reference, "penalty/weights"))
    images = reference["penalty/images"]
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(critic, images, images, tf.constant(0.5))
    assert float(penalty) == pytest.approx(reference["penalty/value"].item(), rel=1e-4)
    gradient = tape.gradient(penalty, critic.trainable_variables[0].value)
    np.testing.assert_allclose(gradient, reference["penalty/kernel_gradient"], atol=1e-5)


# --- training ------------------------------------------------------------------------------------


@pytest.fixture
def batch():
    random = np.random.default_rng(0)
    lightness = random.uniform(-1, 1, (4, 32, 32, 1)).astype("float32")
    ab = random.uniform(-0.5, 0.5, (4, 32, 32, 2)).astype("float32")
    return lightness, ab


def compiled(adversarial=None, discriminator_steps=1, rate=1e-2, seed=0, **options):
    keras.utils.set_random_seed(1)
    model = Pix2Pix(**{**TINY, **options})
    model.compile(
        *(keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.999) for _ in range(2)),
        Reconstruction({"l1": 100.0}),
        adversarial or VanillaAdversarial(0.0),
        discriminator_steps=discriminator_steps,
        seed=seed,
    )
    return model


def values(network):
    return [variable.numpy() for variable in network.trainable_variables]


def changed(before, network):
    pairs = zip(before, values(network), strict=True)
    return not all(np.array_equal(old, new) for old, new in pairs)


@pytest.mark.parametrize(
    ("phase", "losses"),
    [
        (Phase.GENERATOR, {"l1", "generator_loss"}),
        (Phase.DISCRIMINATOR, {"discriminator_loss"}),
        (Phase.BOTH, {"l1", "generator_loss", "adversarial_loss", "discriminator_loss"}),
    ],
)
def test_phase_selects_what_is_trained(batch, phase, losses):
    model = compiled()
    model.set_phase(phase)
    before = values(model.generator), values(model.discriminator)
    assert set(model.train_step(batch)) == losses
    assert changed(before[0], model.generator) == (phase is not Phase.DISCRIMINATOR)
    assert changed(before[1], model.discriminator) == (phase is not Phase.GENERATOR)


@pytest.mark.usefixtures("without_graphs")
def test_generator_is_trained_in_one_of_several_discriminator_steps(batch):
    model = compiled(discriminator_steps=3)
    turns = []
    for _ in range(6):
        before = values(model.generator), values(model.discriminator)
        model.train_on_batch(*batch)
        assert changed(before[1], model.discriminator)
        turns.append(changed(before[0], model.generator))
    assert turns == [False, False, True] * 2
    assert int(model.generator_optimizer.iterations) == 2
    assert int(model.discriminator_optimizer.iterations) == 6


def test_gradient_penalty_is_reported_and_changes_the_step(batch):
    losses = {}
    for weight in (0.0, 10.0):
        model = compiled(WassersteinAdversarial(weight), **TINIER)
        losses[weight] = model.train_step(batch)
        losses[weight, "after"] = values(model.discriminator)
    assert "gradient_penalty" not in losses[0.0]
    assert float(losses[10.0]["gradient_penalty"]) > 0
    pairs = zip(losses[0.0, "after"], losses[10.0, "after"], strict=True)
    assert not all(np.array_equal(*pair) for pair in pairs)


def test_points_of_the_penalty_depend_on_the_seed(batch):
    def penalty(seed):
        model = compiled(WassersteinAdversarial(), seed=seed, **TINIER)
        return float(model.train_step(batch)["gradient_penalty"])

    first = penalty(0)
    assert penalty(0) == first
    assert penalty(2**32 - 1) != first


def test_penalty_is_computed_at_one_new_point_for_each_pair(batch):
    model = compiled(WassersteinAdversarial(), norm="instance")
    score, scored = model.score, []
    model.score = lambda lab: scored.append(lab) or score(lab)
    random = np.random.default_rng(2)
    real, fake = (random.normal(size=(64, 32, 32, 3)).astype("float32") for _ in range(2))
    for step in (7, 8):
        model.discriminator_optimizer.iterations.assign(step)
        model._gradient_penalty(real, fake)
    # The share of the true image in what was scored, pixel by pixel.
    shares = [np.sum((lab - fake) * (real - fake), -1) for lab in scored]
    shares = [share / np.sum((real - fake) ** 2, -1) for share in shares]
    for lab, share in zip(scored, shares, strict=True):
        alphas = share.mean(axis=(1, 2))
        between = alphas[:, None, None, None] * (real - fake) + fake
        np.testing.assert_allclose(lab, between, atol=1e-4)
        assert alphas.min() >= 0.0
        assert alphas.max() <= 1.0
        # The mean of 64 uniform numbers is within 0.15 of 1/2 in all but 1 of 30,000 draws.
        assert alphas.mean() == pytest.approx(0.5, abs=0.15)
        assert alphas.max() - alphas.min() > 0.8
        assert len(np.unique(alphas)) == 64
    assert np.abs(shares[0] - shares[1]).mean() > 0.1


def test_discriminator_alone_is_trained_on_the_colors_of_joint_training(batch):
    model = compiled(depth=5)
    score_both, fakes = model.score_both, []
    model.score_both = lambda real, fake: fakes.append(fake) or score_both(real, fake)
    average = [variable.numpy() for variable in model.generator_ema.variables]
    for phase in (Phase.DISCRIMINATOR, Phase.BOTH):
        model.set_phase(phase)
        model.train_step(batch)
        if phase is Phase.DISCRIMINATOR:
            pairs = zip(average, model.generator_ema.variables, strict=True)
            assert all(np.array_equal(*pair) for pair in pairs)
    # Both use batch statistics, not moving ones, and the generator is the same in both steps.
    np.testing.assert_allclose(fakes[0], fakes[1], atol=1e-5)


@pytest.mark.usefixtures("without_graphs")
def test_losses_that_do_not_exist_yet_are_not_logged(batch):
    class Logs(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.names = []

        def on_train_batch_end(self, number, logs=None):
            self.names.append(set(logs))

    # Without batch statistics, which would be measured in each epoch.
    model, logs = compiled(discriminator_steps=3, norm="instance", depth=2), Logs()
    batches = tf.data.Dataset.from_tensors(batch).repeat()
    quiet = {"verbose": 0, "shuffle": False, "callbacks": [logs]}
    history = model.fit(batches, epochs=2, steps_per_epoch=4, **quiet).history
    complete = {"l1", "generator_loss", "adversarial_loss", "discriminator_loss"}
    early = {"discriminator_loss"}
    # The generator is trained in the third and in the sixth step, the second of the second epoch.
    assert logs.names == [early, early, complete, complete, early, complete, complete, complete]
    assert set(history) == complete
    assert min(history["l1"]) > 0
    model.set_phase(Phase.GENERATOR)
    model.fit(batches, epochs=1, steps_per_epoch=1, **quiet)
    assert logs.names[-1] == {"l1", "generator_loss"}


@pytest.mark.slow
@pytest.mark.usefixtures("without_graphs")
def test_stopped_and_resumed_equals_never_stopped(batch, tmp_path):
    # Depth 6 (64 px) is the smallest with dropout.
    batch = [np.repeat(np.repeat(array, 2, axis=1), 2, axis=2) for array in batch]

    def fresh():
        return compiled(WassersteinAdversarial(), 2, norm="instance", depth=6)

    straight, first, second = fresh(), fresh(), fresh()
    for _ in range(3):
        straight.train_on_batch(*batch)
        first.train_on_batch(*batch)
    first.save_weights(tmp_path / "checkpoint.weights.h5")
    second.load_weights(tmp_path / "checkpoint.weights.h5")
    for _ in range(3):
        straight.train_on_batch(*batch)
        second.train_on_batch(*batch)
    for network in ("generator", "discriminator"):
        pairs = zip(
            values(getattr(straight, network)), values(getattr(second, network)), strict=True
        )
        for old, new in pairs:
            np.testing.assert_allclose(old, new, atol=1e-6)


def test_bfloat16_keeps_weights_colors_and_losses_in_float32(batch):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = compiled(WassersteinAdversarial(), **TINIER)
    losses = model.train_step(batch)
    assert all(np.isfinite(float(loss)) for loss in losses.values())
    assert all(loss.dtype == tf.float32 for loss in losses.values())
    assert model(batch[0]).dtype == tf.float32
    assert all(weight.dtype == "float32" for weight in model.generator.trainable_variables)


@pytest.mark.parametrize("discriminator", ["patch", "pixel", "conv4"])
def test_every_discriminator_returns_float32_logits(discriminator):
    model = Pix2Pix(**{**TINY, "discriminator": discriminator})
    logits = model.score(np.zeros((2, 128, 128, 3), "float32"))
    assert (
        logits.shape
        == {
            "patch": (2, 14, 14, 1),
            "pixel": (2, 128, 128, 1),
            "conv4": (2, 1),
        }[discriminator]
    )
    assert logits.dtype == tf.float32


# --- attention -----------------------------------------------------------------------------------


def attentions(network):
    return [layer for layer in network.layers if type(layer).__name__ == "SelfAttention"]


def test_network_without_attention_has_the_weights_of_the_reference(reference):
    assert attentions(pix2pix_unet(5, filters=2)) == []
    # PyTorch's weights fit in number and order.
    model = Pix2Pix(filters=2, depth=5, discriminator_filters=2, attention_level=None)
    assign(model.generator, listed(reference, "generator/before"))
    assert attentions(model.generator) == []


@pytest.mark.parametrize("level", [2, pytest.param(1, marks=pytest.mark.slow)])
def test_attention_is_in_both_generators_and_is_trained(batch, level):
    model = compiled(attention_level=level)
    assert model.architecture["attention_level"] == level
    [attention], [average] = attentions(model.generator), attentions(model.generator_ema)
    assert float(attention.gamma) == 0.0
    model.train_step(batch)
    assert float(attention.gamma) != 0.0
    assert float(average.gamma) != 0.0
    rebuilt = Pix2Pix.build_generator(model.architecture)
    rebuilt.set_weights(model.generator_ema.get_weights())
    np.testing.assert_allclose(rebuilt(batch[0]), model(batch[0]), atol=1e-6)


def test_weights_saved_before_there_was_attention_still_color(batch, tmp_path):
    model = compiled()
    model.train_step(batch)
    model.generator_ema.save_weights(tmp_path / "old.weights.h5")
    new = ("attention_level", "freeze_encoder_statistics")
    old = {name: value for name, value in model.architecture.items() if name not in new}
    assert len(model.architecture) - len(old) == 2
    rebuilt = Pix2Pix.build_generator(old)
    rebuilt.load_weights(tmp_path / "old.weights.h5")
    np.testing.assert_allclose(rebuilt(batch[0]), model(batch[0]), atol=1e-6)
