"""Self-attention over the positions of a feature map."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.layers.spectral_normalization import SpectralNormalization

# Attention weights in memory at once outside training: 4 MB of float32, which fit in a CPU's cache.
# With 1 MB or 16 MB the default network took 10 to 20% longer at 256 px.
WEIGHTS_AT_ONCE = 2**20
# Feature maps with so few positions are not worth a loop.
FEW_POSITIONS = 32 * 32


@keras.saving.register_keras_serializable("colorizer")
class SelfAttention(keras.layers.Layer):
    """Lets every position of a feature map attend to all positions.

    With 1x1 convolutions f, g and h to `channels / reduction` channels and v back to all of them,

        beta[j, i] = softmax over i of f(x_i) . g(x_j)
        output_j = gamma v(sum_i beta[j, i] h(x_i)) + x_j

    where the trained scalar gamma starts at 0, so that a network first relies on local features.
    Height and width can be any. The softmax is computed in float32. Outside training the weights
    beta of large feature maps are computed a few rows at a time and in float32, so that memory
    grows with the number of positions and not with its square.

    With `pool`, f and h are replaced by their maxima over `pool` x `pool` positions, as in the
    authors' code: with 2, a quarter of the products.

    Args:
        reduction: int, how many times fewer channels f, g and h have. Defaults to `8`, as in the
            paper.
        spectral_normalization: bool, whether to normalize the four convolutions, as the authors'
            code does. Defaults to `True`.
        pool: int, side of the squares of positions that keys and values are pooled over. Defaults
            to `1`, the paper's equations.
        in_parts: bool, whether to compute large feature maps in parts outside training. The loop
            that does so cannot be exported to other runtimes. Defaults to `True`.

    Example:
        features = SelfAttention()(keras.Input((32, 32, 256)))

    Reference:
        Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019
        (arXiv 1805.08318), equations 1 to 3.
    """

    def __init__(
        self,
        reduction: int = 8,
        spectral_normalization: bool = True,
        pool: int = 1,
        in_parts: bool = True,
        **kwargs: Any,
    ):
        for name, value in {"reduction": reduction, "pool": pool}.items():
            if value <= 0:
                raise ValueError(
                    f"`{name}` should be greater than zero. Received: `{name}={value}`"
                )
        super().__init__(**kwargs)
        self.reduction = reduction
        self.spectral_normalization = spectral_normalization
        self.pool = pool
        self.in_parts = in_parts

    def build(self, input_shape):
        channels = input_shape[-1]
        inner = max(1, channels // self.reduction)
        self.f = self._convolution(inner, "f")
        self.g = self._convolution(inner, "g")
        self.h = self._convolution(inner, "h")
        self.v = self._convolution(channels, "v")
        for convolution in (self.f, self.g, self.h):
            convolution.build(input_shape)
        self.v.build((*input_shape[:-1], inner))
        self.gamma = self.add_weight(shape=(), initializer="zeros", name="gamma")

    def call(self, inputs, training=False):
        batch, height, width, _ = ops.shape(inputs)

        keys = _flatten(self._pool(self.f(inputs, training=training)))
        queries = _flatten(self.g(inputs, training=training))
        values = _flatten(self._pool(self.h(inputs, training=training)))
        if training or not self.in_parts:
            attended = self._attend(queries, keys, values)
        else:
            attended = self._attend_in_parts(queries, keys, values)
        attended = ops.reshape(attended, (batch, height, width, values.shape[-1]))
        return inputs + self.gamma * self.v(attended, training=training)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "reduction": self.reduction,
            "spectral_normalization": self.spectral_normalization,
            "pool": self.pool,
            "in_parts": self.in_parts,
        }

    def _pool(self, features):
        if self.pool == 1:
            return features
        # `same` pads with -inf, so that the last row and column count at any size.
        return ops.max_pool(features, self.pool, self.pool, padding="same")

    def _attend(self, queries, keys, values):
        """Returns the attended values of all queries, which have shape (batch, queries, inner)."""
        scores = ops.cast(ops.einsum("bjc,bic->bji", queries, keys), "float32")
        weights = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
        return ops.einsum("bji,bic->bjc", weights, values)

    def _attend_in_parts(self, queries, keys, values):
        """The same as `_attend`, with `WEIGHTS_AT_ONCE` weights of one image at a time."""
        batch, positions, inner = ops.shape(queries)
        pooled_positions = ops.shape(keys)[1]
        if isinstance(positions, int) and positions <= FEW_POSITIONS:
            return self._attend(queries, keys, values)

        # On a CPU with few channels half precision costs more in conversions than it saves.
        queries, keys, values = (ops.cast(part, "float32") for part in (queries, keys, values))
        rows = ops.maximum(1, WEIGHTS_AT_ONCE // pooled_positions)
        blocks = (positions + rows - 1) // rows

        def attend(number, parts):
            image, first = number // blocks, number % blocks * rows
            own = slice(image, image + 1)
            part = self._attend(queries[own, first : first + rows], keys[own], values[own])
            return number + 1, parts.write(number, part[0])

        parts = tf.TensorArray(
            "float32",
            size=0,
            dynamic_size=True,
            infer_shape=False,
            element_shape=[None, values.shape[-1]],
        )
        _, parts = tf.while_loop(lambda number, _: number < batch * blocks, attend, (0, parts))
        attended = ops.reshape(parts.concat(), (batch, positions, inner))
        return ops.cast(attended, self.compute_dtype)

    def _convolution(self, filters, name):
        convolution = keras.layers.Conv2D(filters, 1, dtype=self.dtype_policy, name=name)
        return SpectralNormalization(convolution) if self.spectral_normalization else convolution


def _flatten(features):
    """(batch, height, width, channels) to (batch, height * width, channels)."""
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (batch, height * width, channels))
