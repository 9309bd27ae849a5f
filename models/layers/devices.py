"""The devices that layers compute on."""

import tensorflow as tf


def has_gpu() -> bool:
    """Whether TensorFlow computes on a GPU. What is faster on a CPU was not measured there."""
    return bool(tf.config.list_logical_devices("GPU"))
