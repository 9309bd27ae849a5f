"""The gradient penalty, for critics whose gradients are known."""

import numpy as np
import pytest
import tensorflow as tf

from losses.adversarial.gradient_penalty import gradient_penalty
from models.networks.discriminators import (
    conv4_discriminator,
    patch_discriminator,
    pixel_discriminator,
    vgg_discriminator,
)


def alphas(count=3, seed=(1, 2)):
    return tf.random.stateless_uniform([count, 1, 1, 1], seed)


def images(seed, count=3, side=4):
    random = np.random.default_rng(seed)
    return tf.constant(random.normal(size=(count, side, side, 3)).astype("float32"))


def test_gradient_of_a_linear_critic_is_its_weight():
    weight = tf.Variable(images(5, count=1)[0])
    length = float(tf.norm(weight))

    def critic(x):
        return tf.reduce_sum(x * weight, axis=[1, 2, 3])[:, None]

    with tf.GradientTape() as tape:
        penalty = gradient_penalty(critic, images(0), images(1), alphas())
    assert float(penalty) == pytest.approx((length - 1.0) ** 2, rel=1e-5)
    # d/dw (|w| - 1)^2 = 2 (|w| - 1) w / |w|
    expected = 2.0 * (length - 1.0) * weight.numpy() / length
    np.testing.assert_allclose(tape.gradient(penalty, weight), expected, rtol=1e-4)


def test_score_is_the_sum_of_all_patches():
    # Each logit is twice the sum of one quarter of a channel.
    def critic(x):
        return 2.0 * tf.nn.avg_pool2d(x, 2, 2, "VALID") * 4.0

    gradient = 2.0 * np.ones(48)
    penalty = gradient_penalty(critic, images(0), images(1), alphas())
    assert float(penalty) == pytest.approx((np.linalg.norm(gradient) - 1.0) ** 2, rel=1e-5)


def test_penalty_is_taken_between_the_images_of_a_pair():
    received = []

    def critic(x):
        received.append(x)
        return 0.5 * tf.reduce_sum(x * x, axis=[1, 2, 3])[:, None]

    real, fake = images(0), images(1)
    penalty = gradient_penalty(critic, real, fake, alphas())
    [between] = received
    # x = fake + alpha (real - fake), with one alpha per image.
    found = ((between - fake) / (real - fake)).numpy().reshape(3, -1)
    np.testing.assert_allclose(found, np.reshape(alphas(), (3, 1)).repeat(48, axis=1), atol=1e-3)
    # The gradient of half the square is the image itself.
    lengths = np.linalg.norm(between.numpy().reshape(3, -1), axis=1)
    assert float(penalty) == pytest.approx(np.mean((lengths - 1.0) ** 2), rel=1e-5)


def test_penalty_depends_on_alpha():
    def critic(x):
        return tf.reduce_sum(x * x, axis=[1, 2, 3])

    values = [
        float(gradient_penalty(critic, images(0), images(1), alphas(seed=seed)))
        for seed in ((1, 2), (1, 2), (2, 2))
    ]
    assert values[0] == values[1] != values[2]


def test_critic_of_gradient_zero_has_a_penalty_with_a_finite_gradient():
    weight = tf.Variable(tf.zeros([4, 4, 3]))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(
            lambda x: tf.reduce_sum(x * weight, axis=[1, 2, 3]), images(0), images(1), alphas()
        )
    assert float(penalty) == pytest.approx(1.0, abs=1e-4)
    assert np.isfinite(tape.gradient(penalty, weight)).all()


@pytest.mark.parametrize(
    ("network", "side"),
    [
        (lambda: patch_discriminator(2, norm="instance"), 32),
        (lambda: patch_discriminator(2, norm="none"), 32),
        (lambda: pixel_discriminator(2, norm="instance"), 8),
        (lambda: conv4_discriminator(2), 121),
        (lambda: vgg_discriminator(2, depth=2, attention_level=None), 16),
    ],
    ids=["patch instance", "patch", "pixel", "conv4", "vgg"],
)
def test_every_critic_has_second_order_gradients(network, side):
    critic = network()
    kernels = [weight for weight in critic.trainable_variables if weight.name == "kernel"]
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(
            lambda x: critic(x, training=True),
            images(0, 2, side),
            images(1, 2, side),
            alphas(2),
        )
    for gradient in tape.gradient(penalty, [kernel.value for kernel in kernels]):
        assert gradient is not None
        assert np.isfinite(gradient).all()
        assert np.abs(gradient).max() > 0
