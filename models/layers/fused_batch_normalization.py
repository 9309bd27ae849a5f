"""Batch normalization by TensorFlow's fused kernel."""

import contextlib
import functools
from collections.abc import Iterator

import keras
from keras import ops

from models.layers.replicas import (
    each_of_replicas,
    is_one_of_several,
    replicas,
    sum_over_replicas,
)

# Of the inputs; scale, offset and statistics are float32 always.
_KERNEL_DTYPES = ("float32", "bfloat16", "float16")
# For the kernel to measure the statistics.
_OF_BATCH = {"mean": (), "variance": (), "is_training": True}


class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the same results and options, but faster.

    Keras 3 normalizes with a row of elementwise operations; TensorFlow has one kernel for all of
    them, with which a U-Net trains twice as fast on a CPU. Inputs stay in the layer's precision,
    while scale, offset and statistics are float32, as the kernel wants them. What the kernel cannot
    do (masks, other axes, batch renormalization, other backends than TensorFlow) is done by Keras'
    layer.

    Where replicas learn together each takes the statistics of the whole batch, whatever
    `synchronized`
    says: what is learned does not depend on the number of devices.

    Its variables are those of Keras' layer in the same order: `set_weights` and the files of
    `save_own_variables` go both ways. (A whole model's `.weights.h5` does not: Keras files layers
    under the names of their classes.)

    Args:
        freeze_statistics: bool, normalize with the moving statistics always, and never move them:
            what a pretrained network wants, whose features would be others with the statistics of a
            batch. Scale and offset are trained all the same. Defaults to `False`.
        **kwargs: those of `keras.layers.BatchNormalization`.

    Example:
        features = FusedBatchNormalization(epsilon=1e-5)(keras.Input((64, 64, 32)))
    """

    # While statistics are collected, the momentum with which they are.
    _collecting = None

    def __init__(self, freeze_statistics=False, **kwargs):
        super().__init__(**kwargs)
        self.freeze_statistics = freeze_statistics

    def call(self, inputs, training=None, mask=None):
        training = training and not self.freeze_statistics
        if mask is not None or not self._kernel_applies(inputs):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        use_batch = self._collecting is not None or bool(training and self.trainable)
        if use_batch and is_one_of_several():
            return self._normalize_by_all_replicas(inputs)
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=ops.convert_to_tensor(self.gamma) if self.scale else tf.ones([channels]),
            offset=ops.convert_to_tensor(self.beta) if self.center else tf.zeros([channels]),
            mean=ops.convert_to_tensor(self.moving_mean),
            variance=ops.convert_to_tensor(self.moving_variance),
            epsilon=self.epsilon,
            exponential_avg_factor=1.0,
            is_training=use_batch,
        )
        if use_batch:
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance * _bias(inputs))
        return outputs

    def _normalize_by_all_replicas(self, inputs):
        """The kernel with the statistics of all replicas; its gradient needs sums of all too."""
        import tensorflow as tf

        channels = inputs.shape[-1]
        scale = ops.convert_to_tensor(self.gamma) if self.scale else tf.ones([channels])
        offset = ops.convert_to_tensor(self.beta) if self.center else tf.zeros([channels])
        kernel = functools.partial(tf.raw_ops.FusedBatchNormV3, epsilon=self.epsilon)

        # All parts are as large as each other. A mean of squares would lose digits.
        _, mean, variance, *_ = kernel(x=inputs, scale=scale, offset=offset, **_OF_BATCH)
        means, variances = tf.unstack(
            each_of_replicas(tf.stack([mean, variance * _bias(inputs)])), axis=1
        )
        mean = tf.reduce_mean(means, 0)
        variance = tf.reduce_mean(variances + tf.square(means - mean), 0)
        self._move(self.moving_mean, mean)
        self._move(self.moving_variance, variance)

        @tf.custom_gradient
        def normalize(x, scale, offset):
            statistics = {"mean": mean, "variance": variance, "is_training": False}
            outputs, *_, reserve = kernel(x=x, scale=scale, offset=offset, **statistics)

            def gradient(upstream):
                # With statistics that are constants, and then what they add, in float32:
                # dx = scale / deviation (dy - mean(dy) - normalized mean(dy normalized)),
                # the means over all replicas (Ioffe and Szegedy, section 3).
                of_x, of_scale, of_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                    y_backprop=upstream,
                    x=x,
                    scale=scale,
                    reserve_space_1=mean,
                    reserve_space_2=variance,
                    reserve_space_3=reserve,
                    epsilon=self.epsilon,
                    is_training=False,
                )
                sums = sum_over_replicas(tf.stack([of_offset, of_scale]))
                count = tf.cast(tf.size(x) // channels * replicas(), tf.float32)
                mean_upstream, mean_product = tf.unstack(sums / count)
                deviation = tf.sqrt(variance + self.epsilon)
                factor = scale / deviation
                centered = tf.cast(x, tf.float32) - mean
                change = factor * (mean_upstream + centered * (mean_product / deviation))
                return tf.cast(tf.cast(of_x, tf.float32) - change, x.dtype), of_scale, of_offset

            return outputs, gradient

        return normalize(inputs, scale, offset)

    def get_config(self):
        return {**super().get_config(), "freeze_statistics": self.freeze_statistics}

    def _move(self, average, value):
        momentum = self.momentum if self._collecting is None else self._collecting
        average.assign(average * momentum + value * (1.0 - momentum))

    def _kernel_applies(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and self.variable_dtype == "float32"
            and keras.backend.standardize_dtype(inputs.dtype) in _KERNEL_DTYPES
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and not self.renorm
        )


def _bias(inputs):
    """The kernel returns the unbiased variance of a sample; Keras keeps the biased one."""
    count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
    return (count - 1.0) / count


def has_batch_statistics(network: keras.Model) -> bool:
    """Whether there is anything in a network for `collect_batch_statistics`."""
    return bool(_moving(network))


@contextlib.contextmanager
def collect_batch_statistics(network: keras.Model, momentum) -> Iterator[None]:
    """Lets what passes through a network inside the block move its statistics, and nothing else.

    The network is called as it colors, without dropout, and need not be trainable; its
    normalizations take the statistics of the batch, but for those that keep theirs.

    Args:
        network: `keras.Model`; its layers of other kinds are not touched.
        momentum: float or scalar tensor in [0, 1), what is left of the statistics that were there.

    Example:
        with collect_batch_statistics(generator, 0.9):
            generator(lightness, training=False)
    """
    layers = _moving(network)
    for layer in layers:
        layer._collecting = momentum
    try:
        yield
    finally:
        for layer in layers:
            layer._collecting = None


def _moving(network: keras.Model) -> list[FusedBatchNormalization]:
    return [
        layer
        for layer in network._flatten_layers(include_self=False)
        if isinstance(layer, FusedBatchNormalization) and not layer.freeze_statistics
    ]
