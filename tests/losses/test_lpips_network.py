"""What the network of LPIPS teaches; its values are tested with the metric."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from skimage import data

from losses.lpips_network import LPIPSNetwork


def photograph(size=64):
    return (data.astronaut()[100 : 100 + size, 150 : 150 + size] / 255.0).astype("float32")


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_as_a_loss_it_leads_to_the_true_picture(lpips_weights, dtype):
    network = LPIPSNetwork(lpips_weights, keras.DTypePolicy(dtype))
    # Of black nothing is seen by any channel whose bias is not above 0.
    true = tf.constant(np.stack([photograph(), np.zeros_like(photograph())]))
    colored = tf.Variable(tf.reverse(true, [1]) * 0.5)
    before = None
    for _ in range(5):
        with tf.GradientTape() as tape:
            distances = network.distance(network.features(true), network.features(colored))
        gradient = tape.gradient(distances, colored)
        assert np.isfinite(gradient).all()
        assert gradient.dtype == distances.dtype == "float32"
        assert before is None or float(distances[0]) < before
        before = float(distances[0])
        colored.assign_sub(0.02 * gradient / tf.reduce_max(tf.abs(gradient)))
