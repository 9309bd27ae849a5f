"""The pix2pix colorizer: its networks and its step equal those of the paper in PyTorch."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from losses.gradient_penalty import gradient_penalty
from losses.reconstruction import Reconstruction
from losses.vanilla_adversarial import VanillaAdversarial
from models.networks.discriminators import patch_discriminator
from models.networks.pix2pix_unet import pix2pix_unet
from models.pix2pix import Pix2Pix

REFERENCE = Path(__file__).parents[1] / "reference" / "pix2pix_pytorch.npz"
TINY = {"filters": 2, "depth": 3, "discriminator_filters": 2}


@pytest.fixture(scope="module")
def reference():
    with np.load(REFERENCE) as file:
        return dict(file)


def listed(reference, prefix):
    """The arrays `prefix/0`, `prefix/1` ... of the reference."""
    count = sum(name.startswith(prefix + "/") for name in reference)
    return [reference[f"{prefix}/{number}"] for number in range(count)]


def in_order(network):
    """The trained weights of a network in the order of the data, kernel first."""
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


def test_networks_of_the_paper_have_as_many_weights(reference):
    assert trained(pix2pix_unet()) == reference["parameters/generator"] == 54_409_858
    assert trained(patch_discriminator()) == reference["parameters/discriminator"] == 2_765_633


def test_networks_give_what_those_of_pytorch_give(reference):
    model = from_pytorch(reference)
    lightness, true_ab = reference["lightness"], reference["true_ab"]
    colored_ab = model.generator(lightness, training=True)
    np.testing.assert_allclose(colored_ab, reference["colored_ab"], atol=1e-4)
    real, fake = (tf.concat([lightness, ab], axis=-1) for ab in (true_ab, colored_ab))
    real_logits, fake_logits = model.score_both(real, fake)
    np.testing.assert_allclose(real_logits, reference["real_logits"], atol=1e-4)
    np.testing.assert_allclose(fake_logits, reference["fake_logits"], atol=1e-4)


def test_step_is_that_of_pytorch(reference):
    model = from_pytorch(reference)
    losses = model.train_step((reference["lightness"], reference["true_ab"]))
    for name in ("discriminator_loss", "adversarial_loss", "l1", "generator_loss"):
        assert float(losses[name]) == pytest.approx(reference[name].item(), rel=1e-4), name
    for name in ("generator", "discriminator"):
        before, after = (listed(reference, f"{name}/{when}") for when in ("before", "after"))
        for weight, old, new in zip(in_order(getattr(model, name)), before, after, strict=True):
            # Adam's first step is as long for a gradient of rounding as for any other.
            moved, wanted = weight.numpy() - old, new - old
            assert np.mean(np.abs(moved - wanted) > 2e-5) < 0.02, (name, weight.path)


def test_gradient_penalty_is_that_of_pytorch(reference):
    critic = patch_discriminator(2, norm="none")
    assign(critic, listed(reference, "penalty/weights"))
    pictures = reference["penalty/pictures"]
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(critic, pictures, pictures, seed=(0, 0))
    assert float(penalty) == pytest.approx(reference["penalty/value"].item(), rel=1e-4)
    gradient = tape.gradient(penalty, critic.trainable_variables[0].value)
    np.testing.assert_allclose(gradient, reference["penalty/kernel_gradient"], atol=1e-5)
