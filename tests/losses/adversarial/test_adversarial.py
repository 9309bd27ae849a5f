"""The adversarial losses, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from losses import ADVERSARIAL, VanillaAdversarial, WassersteinAdversarial, get_adversarial

REAL, FAKE = np.array([[2.0], [0.5], [-1.0]], "float32"), np.array([[-3.0], [0.0]], "float32")


def softplus(logit):
    return np.log1p(np.exp(logit))


# -log sigmoid(x) is softplus(-x), and -log(1 - sigmoid(x)) is softplus(x).
CROSS_ENTROPY_OF_ONES = np.mean(softplus(-REAL))
CROSS_ENTROPY_OF_ZEROS = np.mean(softplus(FAKE))

# The losses of the discriminator and of the generator.
EXPECTED = {
    "vanilla": (
        0.9 * CROSS_ENTROPY_OF_ONES + 0.1 * np.mean(softplus(REAL)) + CROSS_ENTROPY_OF_ZEROS,
        np.mean(softplus(-FAKE)),
    ),
    "lsgan": ((1.0 + 0.25 + 4.0) / 3 + 9.0 / 2, (16.0 + 1.0) / 2),
    "hinge": ((0.0 + 0.5 + 2.0) / 3 + (0.0 + 1.0) / 2, 1.5),
    "wgan-gp": (-1.5 - 0.5, 1.5),
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_losses_by_hand(name):
    loss, (of_discriminator, of_generator) = get_adversarial(name), EXPECTED[name]
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(of_discriminator, rel=1e-5)
    assert float(loss.generator(FAKE)) == pytest.approx(of_generator, rel=1e-5)
    # A critic of patches has a logit for each of them.
    patches = [logits[:, :, None, None].repeat(3, axis=1) for logits in (REAL, FAKE)]
    assert float(loss.discriminator(*patches)) == pytest.approx(of_discriminator, rel=1e-5)
    assert float(loss.generator(patches[1])) == pytest.approx(of_generator, rel=1e-5)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_half_precision_and_large_logits_give_finite_float32(name):
    logits = tf.constant([[1000.0], [-1000.0]], tf.bfloat16)
    loss = get_adversarial(name)
    for value in (loss.discriminator(logits, logits), loss.generator(logits)):
        assert value.dtype == tf.float32
        assert np.isfinite(value)


def test_only_real_labels_are_smoothed():
    loss = VanillaAdversarial(label_smoothing=0.0)
    expected = CROSS_ENTROPY_OF_ONES + CROSS_ENTROPY_OF_ZEROS
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(expected, rel=1e-5)
    assert float(loss.generator(FAKE)) == pytest.approx(EXPECTED["vanilla"][1], rel=1e-5)


def test_only_the_wasserstein_loss_has_a_penalty():
    weights = {name: get_adversarial(name).penalty_weight for name in ADVERSARIAL}
    assert weights == {"vanilla": 0.0, "lsgan": 0.0, "hinge": 0.0, "wgan-gp": 10.0}


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, 2.0])
def test_label_smoothing_out_of_range_is_an_error(label_smoothing):
    message = rf"should be in \[0, 1\).*Received: `label_smoothing={label_smoothing}`"
    with pytest.raises(ValueError, match=message):
        VanillaAdversarial(label_smoothing)


def test_negative_penalty_weight_is_an_error():
    with pytest.raises(ValueError, match="at least 0"):
        WassersteinAdversarial(-1.0)
