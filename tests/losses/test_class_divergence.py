"""The divergence of the class head from its teacher, compared with closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, rel_entr, softmax

from losses.class_divergence import class_divergence


def distributions(seed=0, images=4, classes=10):
    logits = 3.0 * np.random.default_rng(seed).normal(size=(images, classes))
    return softmax(logits, axis=-1).astype("float32")


def random_logits(seed=1, images=4, classes=10):
    return (3.0 * np.random.default_rng(seed).normal(size=(images, classes))).astype("float32")


def test_divergence_is_the_mean_relative_entropy_of_the_images():
    teacher, logits = distributions(), random_logits()
    divergences = rel_entr(teacher, softmax(logits.astype("float64"), axis=-1)).sum(axis=-1)
    assert divergences.min() > 0.1
    assert float(class_divergence(teacher, logits)) == pytest.approx(divergences.mean(), rel=1e-5)


def test_divergence_is_zero_for_equal_distributions_and_shifted_logits():
    teacher = distributions()
    for shift in (0.0, 100.0):
        assert float(class_divergence(teacher, np.log(teacher) + shift)) == pytest.approx(
            0.0, abs=1e-5
        )


def test_gradient_is_the_difference_of_the_distributions():
    teacher, logits = distributions(), tf.constant(random_logits())
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = class_divergence(teacher, logits)
    expected = (softmax(logits.numpy(), axis=-1) - teacher) / len(teacher)
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-6)


def test_classes_that_the_teacher_excludes_do_not_count():
    # Probabilities of logits of -200 underflow to 0 in float32.
    teacher = np.array([[0.0, 1.0, 0.0], [0.5, 0.5, 0.0]], "float32")
    logits = np.array([[3.0, 1.0, -200.0], [0.0, 2.0, -200.0]], "float32")
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = class_divergence(teacher, logits)
    divergences = rel_entr(teacher, np.exp(log_softmax(logits.numpy(), axis=-1))).sum(axis=-1)
    assert float(loss) == pytest.approx(divergences.mean(), rel=1e-5)
    expected = (softmax(logits.numpy(), axis=-1) - teacher) / 2
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-6)


def test_confidently_wrong_student_has_a_finite_divergence():
    loss = class_divergence([[1.0, 0.0]], [[-1000.0, 1000.0]])
    assert float(loss) == pytest.approx(2000.0)


def test_half_precision_gives_float32():
    teacher, logits = distributions(), random_logits()
    half = class_divergence(tf.cast(teacher, tf.float16), tf.cast(logits, tf.bfloat16))
    assert half.dtype == tf.float32
    assert float(half) == pytest.approx(float(class_divergence(teacher, logits)), rel=0.05)
