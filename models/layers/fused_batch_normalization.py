"""Batch normalization with TensorFlow's fused kernel."""

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from models.layers.replicas import (
    each_of_replicas,
    is_one_of_several,
    replicas,
    sum_over_replicas,
)

# The kernel's dtypes of inputs; scale, offset and statistics are always float32.
_KERNEL_DTYPES = ("float32", "bfloat16", "float16")
# The kernel's arguments to compute the statistics of the batch.
_BATCH_STATISTICS = {"mean": (), "variance": (), "is_training": True}


@keras.saving.register_keras_serializable("colorizer")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the same results and options, but faster.

    Keras 3 normalizes with a sequence of elementwise operations. TensorFlow has a single kernel for
    all of them, with which a U-Net trains twice as fast on a CPU. Inputs stay in the layer's
    precision, while scale, offset and statistics are float32, as the kernel requires. What the
    kernel cannot do (masks, other axes, batch renormalization, other backends than TensorFlow) is
    left to Keras' layer.

    With several replicas, each uses the statistics of the whole batch whatever `synchronized` is,
    so that training does not depend on the number of devices.

    Its variables are those of Keras' layer in the same order, so that `set_weights` and the files
    of `save_own_variables` are interchangeable. (The `.weights.h5` of a whole model is not, because
    Keras stores layers under the names of their classes.)

    Args:
        freeze_statistics: bool, whether to always normalize with the moving statistics and never
            update them. Pretrained networks need this, because batch statistics would change their
            features. Scale and offset are still trained. Defaults to `False`.
        **kwargs: those of `keras.layers.BatchNormalization`.

    Example:
        features = FusedBatchNormalization(epsilon=1e-5)(keras.Input((64, 64, 32)))
    """

    # The momentum of `collect_batch_statistics` while it is active.
    _collection_momentum: float | Tensor | None = None

    def __init__(self, freeze_statistics: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.freeze_statistics = freeze_statistics

    def call(self, inputs, training=None, mask=None):
        training = training and not self.freeze_statistics
        if mask is not None or not self._kernel_applies(inputs):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        use_batch = self._collection_momentum is not None or bool(training and self.trainable)
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
            self._update_average(self.moving_mean, mean)
            self._update_average(self.moving_variance, variance * _bias_factor(inputs))
        return outputs

    def _normalize_by_all_replicas(self, inputs):
        """Runs the kernel with statistics of all replicas, which its gradient depends on too."""
        import tensorflow as tf

        channels = inputs.shape[-1]
        scale = ops.convert_to_tensor(self.gamma) if self.scale else tf.ones([channels])
        offset = ops.convert_to_tensor(self.beta) if self.center else tf.zeros([channels])
        kernel = functools.partial(tf.raw_ops.FusedBatchNormV3, epsilon=self.epsilon)

        # All replicas have equally large parts. A mean of squares would lose digits.
        _, mean, variance, *_ = kernel(x=inputs, scale=scale, offset=offset, **_BATCH_STATISTICS)
        means, variances = tf.unstack(
            each_of_replicas(tf.stack([mean, variance * _bias_factor(inputs)])), axis=1
        )
        mean = tf.reduce_mean(means, 0)
        variance = tf.reduce_mean(variances + tf.square(means - mean), 0)
        self._update_average(self.moving_mean, mean)
        self._update_average(self.moving_variance, variance)

        @tf.custom_gradient
        def normalize(x, scale, offset):
            statistics = {"mean": mean, "variance": variance, "is_training": False}
            outputs, *_, reserve = kernel(x=x, scale=scale, offset=offset, **statistics)

            def gradient(upstream):
                # The gradient with constant statistics, and then the terms of the statistics in
                # float32: dx = scale / deviation (dy - mean(dy) - normalized mean(dy normalized)),
                # with means over all replicas (Ioffe and Szegedy, section 3).
                x_gradient, scale_gradient, offset_gradient, *_ = tf.raw_ops.FusedBatchNormGradV3(
                    y_backprop=upstream,
                    x=x,
                    scale=scale,
                    reserve_space_1=mean,
                    reserve_space_2=variance,
                    reserve_space_3=reserve,
                    epsilon=self.epsilon,
                    is_training=False,
                )
                sums = sum_over_replicas(tf.stack([offset_gradient, scale_gradient]))
                count = tf.cast(tf.size(x) // channels * replicas(), tf.float32)
                mean_upstream, mean_product = tf.unstack(sums / count)
                deviation = tf.sqrt(variance + self.epsilon)
                factor = scale / deviation
                centered = tf.cast(x, tf.float32) - mean
                change = factor * (mean_upstream + centered * (mean_product / deviation))
                x_gradient = tf.cast(tf.cast(x_gradient, tf.float32) - change, x.dtype)
                return x_gradient, scale_gradient, offset_gradient

            return outputs, gradient

        return normalize(inputs, scale, offset)

    def get_config(self):
        return {**super().get_config(), "freeze_statistics": self.freeze_statistics}

    def _update_average(self, average, value):
        collected = self._collection_momentum
        momentum = self.momentum if collected is None else collected
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


def _bias_factor(inputs):
    """The factor from the unbiased variance of the kernel to the biased one that Keras stores."""
    count = ops.cast(ops.size(inputs) // inputs.shape[-1], "float32")
    return (count - 1.0) / count


def has_batch_statistics(network: keras.Model) -> bool:
    """Whether a network has batch statistics that `collect_batch_statistics` can update."""
    return bool(_layers_with_statistics(network))


@contextlib.contextmanager
def collect_batch_statistics(network: keras.Model, momentum: float | Tensor) -> Iterator[None]:
    """Updates the moving statistics of a network whenever it is called inside the block.

    Call it with `training=False`, as for coloring: dropout stays off, and the network need not be
    trainable. Its batch normalizations use the statistics of the batch, except those with
    `freeze_statistics`.

    Args:
        network: `keras.Model`; its other layers are not changed.
        momentum: float or scalar tensor in [0, 1), the weight of the previous statistics.

    Example:
        network = keras.Sequential([keras.Input((32, 32, 1)), FusedBatchNormalization()])
        with collect_batch_statistics(network, momentum=0.0):
            network(lightness, training=False)
        network.layers[0].moving_mean            # the mean of `lightness`
    """
    layers = _layers_with_statistics(network)
    for layer in layers:
        layer._collection_momentum = momentum
    try:
        yield
    finally:
        for layer in layers:
            layer._collection_momentum = None


def _layers_with_statistics(network: keras.Model) -> list[FusedBatchNormalization]:
    return [
        layer
        for layer in network._flatten_layers(include_self=False)
        if isinstance(layer, FusedBatchNormalization) and not layer.freeze_statistics
    ]
