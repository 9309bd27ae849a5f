"""The binary cross-entropy loss of the original GAN, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.vanilla_adversarial import VanillaAdversarial


def softplus(logit):
    return np.log1p(np.exp(logit))


def mean(*values):
    return sum(values) / len(values)


def test_discriminator_by_hand():
    loss = VanillaAdversarial(label_smoothing=0.0)
    real, fake = np.array([[2.0], [-1.0]], "float32"), np.array([[0.0], [3.0]], "float32")
    # -log sigmoid(x) is softplus(-x), and -log(1 - sigmoid(x)) is softplus(x).
    expected = mean(softplus(-2.0), softplus(1.0)) + mean(softplus(0.0), softplus(3.0))
    assert float(loss.discriminator(real, fake)) == pytest.approx(expected, rel=1e-5)


def test_generator_by_hand():
    fake = np.array([[2.0], [-1.0]], "float32")
    expected = mean(softplus(-2.0), softplus(1.0))
    assert float(VanillaAdversarial().generator(fake)) == pytest.approx(expected, rel=1e-5)


def test_only_real_labels_are_smoothed():
    loss = VanillaAdversarial(label_smoothing=0.25)
    real, fake = np.array([[2.0]], "float32"), np.array([[3.0]], "float32")
    expected = 0.75 * softplus(-2.0) + 0.25 * softplus(2.0) + softplus(3.0)
    assert float(loss.discriminator(real, fake)) == pytest.approx(expected, rel=1e-5)


def test_label_smoothing_defaults_to_a_tenth():
    assert VanillaAdversarial().label_smoothing == 0.1


def test_undecided_discriminator_has_a_loss_of_two_log_two():
    logits = np.zeros((4, 2, 2, 1), "float32")
    assert float(VanillaAdversarial().discriminator(logits, logits)) == pytest.approx(2 * np.log(2))


def test_large_logits_stay_finite():
    loss, logits = VanillaAdversarial(), np.array([[1000.0], [-1000.0]], "float32")
    assert np.isfinite(loss.discriminator(logits, logits))
    assert np.isfinite(loss.generator(logits))


def test_half_precision_logits_give_float32():
    logits = tf.constant([[0.5]], tf.bfloat16)
    assert VanillaAdversarial().discriminator(logits, logits).dtype == tf.float32
    assert VanillaAdversarial().generator(logits).dtype == tf.float32


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, 2.0])
def test_label_smoothing_out_of_range_is_an_error(label_smoothing):
    message = rf"should be in \[0, 1\).*Received: `label_smoothing={label_smoothing}`"
    with pytest.raises(ValueError, match=message):
        VanillaAdversarial(label_smoothing)
