"""The least-squares loss, worked out by hand."""

import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.least_squares_adversarial import LeastSquaresAdversarial


def test_discriminator_by_hand():
    real = np.array([[2.0], [0.5]], "float32")  # 1 and 0.25
    fake = np.array([[-3.0], [1.0]], "float32")  # 9 and 1
    assert float(LeastSquaresAdversarial().discriminator(real, fake)) == pytest.approx(0.625 + 5)


def test_generator_by_hand():
    fake = np.array([[[[3.0]], [[0.0]]]], "float32")
    assert float(LeastSquaresAdversarial().generator(fake)) == pytest.approx(2.5)


def test_half_precision_logits_give_float32():
    logits = tf.constant([[0.5]], tf.bfloat16)
    assert LeastSquaresAdversarial().discriminator(logits, logits).dtype == tf.float32
    assert LeastSquaresAdversarial().generator(logits).dtype == tf.float32


def test_gradient_penalty_has_weight_zero():
    assert LeastSquaresAdversarial().penalty_weight == 0.0
