"""The penalty that keeps the gradients of a Wasserstein critic at a norm of 1."""

from collections.abc import Callable

import tensorflow as tf

# Of a gradient of 0 the square root has none.
_EPSILON = 1e-12


def gradient_penalty(critic: Callable, real: tf.Tensor, fake: tf.Tensor, seed) -> tf.Tensor:
    """How far the norms of the critic's gradients are from 1, between real and fake pictures.

    E[(|dD(x)/dx| - 1)^2] at x = alpha real + (1 - alpha) fake, with an alpha from [0, 1] for each
    pair of pictures, and the norm over all numbers of a picture. The score D(x) of a picture is
    the mean of its logits, which is what the loss averages too. No sample of the critic may see
    another: no batch normalization in it.

    It is differentiated again by the critic's weights. TensorFlow gives no second gradient, and no
    error either, through bilinear resizing: the networks here have none.

    Args:
        critic: from pictures to logits of any shape, the first axis the batch.
        real: float32 tensor of shape (batch, height, width, channels).
        fake: likewise.
        seed: two integers, of the alphas.

    Returns:
        A float32 scalar.

    Reference: Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3
    and algorithm 1.
    """
    alpha = tf.random.stateless_uniform([tf.shape(real)[0], 1, 1, 1], seed)
    between = alpha * real + (1.0 - alpha) * fake
    with tf.GradientTape() as tape:
        tape.watch(between)
        logits = tf.cast(critic(between), tf.float32)
        # The gradient of the sum over pictures is that of each picture's own score.
        scores = tf.reduce_sum(tf.reduce_mean(tf.reshape(logits, [tf.shape(real)[0], -1]), axis=1))
    gradient = tf.cast(tape.gradient(scores, between), tf.float32)
    norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=[1, 2, 3]) + _EPSILON)
    return tf.reduce_mean(tf.square(norm - 1.0))
