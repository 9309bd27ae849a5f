"""The gradient of a kernel as a matrix product; its values are tested with the layers."""

import tensorflow as tf

from models.layers import kernel_gradient
from models.layers.kernel_gradient import is_large, with_kernel_gradient


def test_the_innermost_kernels_of_pix2pix_are_large():
    assert is_large((4, 4, 512, 512))
    assert is_large((4, 4, 512, 1024))
    assert not is_large((4, 4, 256, 512))


def test_a_gpu_is_left_to_tensorflow(monkeypatch):
    monkeypatch.setattr(kernel_gradient, "has_gpu", lambda: True)
    assert not is_large((4, 4, 512, 1024))


def test_kernel_of_one_weight_by_hand():
    # The sum over all positions of large times small: 1 * 5 + 2 * 6 + 3 * 7 + 4 * 8.
    large, small = (tf.reshape(tf.range(first, first + 4.0), (1, 2, 2, 1)) for first in (1.0, 5.0))
    kernel = tf.ones((1, 1, 1, 1))
    with tf.GradientTape() as tape:
        tape.watch(kernel)
        outputs = with_kernel_gradient(small, kernel, large, None, (1, 1), "same")
        # The gradient with respect to the outputs is `small` itself.
        loss = tf.reduce_sum(outputs * small)
    assert tape.gradient(loss, kernel).numpy().item() == 70.0
