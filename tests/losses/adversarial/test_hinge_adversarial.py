"""The hinge loss, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.hinge_adversarial import HingeAdversarial


def test_discriminator_by_hand():
    real = np.array([[2.0], [0.5], [-1.0]], "float32")  # 0, 0.5 and 2: mean 2.5/3
    fake = np.array([[-3.0], [0.0], [1.0]], "float32")  # 0, 1 and 2: mean 1
    assert float(HingeAdversarial().discriminator(real, fake)) == pytest.approx(2.5 / 3 + 1)


def test_discriminator_loss_is_zero_beyond_the_margin():
    real, fake = np.array([1.0, 7.0], "float32"), np.array([-1.0, -7.0], "float32")
    assert float(HingeAdversarial().discriminator(real, fake)) == 0.0


def test_generator_by_hand():
    assert float(HingeAdversarial().generator(np.array([3.0, -1.0], "float32"))) == -1.0


def test_means_are_over_all_positions_of_a_patch_critic():
    real, fake = np.zeros((2, 3, 4, 1), "float32"), np.full((2, 3, 4, 1), 0.5, "float32")
    assert float(HingeAdversarial().discriminator(real, fake)) == pytest.approx(2.5)


def test_half_precision_logits_give_float32():
    logits = tf.constant([[0.5]], tf.bfloat16)
    assert HingeAdversarial().discriminator(logits, logits).dtype == tf.float32
    assert HingeAdversarial().generator(logits).dtype == tf.float32
