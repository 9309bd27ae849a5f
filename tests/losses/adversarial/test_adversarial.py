"""What all adversarial losses have in common."""

import numpy as np
import pytest
import tensorflow as tf

from losses import ADVERSARIAL, get_adversarial


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_half_precision_and_large_logits_give_finite_float32(name):
    logits = tf.constant([[1000.0], [-1000.0]], tf.bfloat16)
    loss = get_adversarial(name)
    for value in (loss.discriminator(logits, logits), loss.generator(logits)):
        assert value.dtype == tf.float32
        assert np.isfinite(value)


def test_only_the_wasserstein_loss_has_a_penalty():
    weights = {name: get_adversarial(name).penalty_weight for name in ADVERSARIAL}
    assert weights == {"vanilla": 0.0, "lsgan": 0.0, "hinge": 0.0, "wgan-gp": 10.0}
