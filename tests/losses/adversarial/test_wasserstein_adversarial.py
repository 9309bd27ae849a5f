"""The Wasserstein loss, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial


def test_critic_by_hand():
    real, fake = np.array([[2.0], [4.0]], "float32"), np.array([[-1.0], [0.0]], "float32")
    assert float(WassersteinAdversarial().discriminator(real, fake)) == pytest.approx(-0.5 - 3.0)


def test_generator_by_hand():
    fake = np.array([[[[3.0]], [[-1.0]]]], "float32")
    assert float(WassersteinAdversarial().generator(fake)) == pytest.approx(-1.0)


def test_half_precision_logits_give_float32():
    logits = tf.constant([[0.5]], tf.bfloat16)
    assert WassersteinAdversarial().discriminator(logits, logits).dtype == tf.float32
    assert WassersteinAdversarial().generator(logits).dtype == tf.float32


def test_penalty_weight_defaults_to_that_of_the_paper():
    assert WassersteinAdversarial().penalty_weight == 10.0
    assert WassersteinAdversarial(1.5).penalty_weight == 1.5


def test_negative_penalty_weight_is_an_error():
    with pytest.raises(ValueError, match="at least 0"):
        WassersteinAdversarial(-1.0)
