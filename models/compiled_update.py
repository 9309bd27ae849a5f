"""Updates of all weights of a network in one pass through memory."""

from collections.abc import Callable

import tensorflow as tf

from models.layers.devices import has_gpu

# Updates of smaller networks are too fast for compiling to pay.
MANY_WEIGHTS = 2**20


def compiled_update(update: Callable, weights: int) -> Callable:
    """Compiles a function with XLA where that is known to be faster.

    Adam and a moving average are twenty operations on each weight. TensorFlow passes through memory
    for each of them, XLA once for all: for the 42 million weights of pix2pix at 128 px the update
    took 129 ms without XLA and 51 ms with it, on 2 cores.

    Args:
        update: function of tensors that changes variables.
        weights: int, the number of weights that it changes.

    Returns:
        The same function, compiled on a CPU if there are many weights. Under a distribution
        strategy, whose updates involve all replicas, XLA cannot compile it. On a GPU, where
        operations wait less for each other, the gain was not measured.
    """
    if weights < MANY_WEIGHTS or has_gpu() or tf.distribute.has_strategy():
        return update
    return tf.function(update, jit_compile=True)
