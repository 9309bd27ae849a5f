"""Self-attention over the places of a feature map."""

import keras
import tensorflow as tf
from keras import ops

from models.layers.spectral_normalization import SpectralNormalization

# Weights of attention that are held at once outside training: 4 MB of float32, which stay near the
# processor. With 1 MB or with 16 the default network took a tenth to a fifth longer at 256 px.
_HELD = 2**20
# As few places as these are never worth a loop.
_FEW = 32 * 32


class SelfAttention(keras.layers.Layer):
    """Lets every place of a feature map look at every other one.

    With 1x1 convolutions f, g and h to `channels / reduction` channels and v back to all of them,

        beta[j, i] = softmax over i of f(x_i) . g(x_j)
        output_j = gamma v(sum_i beta[j, i] h(x_i)) + x_j

    where the learned number gamma starts at 0, so that a network first learns from near places.
    Any height and width. The softmax is computed in float32. Outside training the weights beta of
    large feature maps are computed some rows at a time and in float32, so that memory grows with
    the number of places and not with its square.

    Args:
        reduction: int, how many times fewer channels f, g and h have. Defaults to `8`, as in the
            paper.
        spectral_normalization: bool, normalizes the four convolutions, as the authors' code does.
            Defaults to `True`.

    Example:
        features = SelfAttention()(keras.Input((32, 32, 256)))

    Reference:
        Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019
        (arXiv 1805.08318), equations 1 to 3.
    """

    def __init__(self, reduction=8, spectral_normalization=True, **kwargs):
        if reduction <= 0:
            raise ValueError(
                f"`reduction` should be greater than zero. Received: `reduction={reduction}`"
            )
        super().__init__(**kwargs)
        self.reduction = reduction
        self.spectral_normalization = spectral_normalization

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

        def places(features):
            return ops.reshape(features, (batch, height * width, features.shape[-1]))

        keys = places(self.f(inputs, training=training))
        queries = places(self.g(inputs, training=training))
        values = places(self.h(inputs, training=training))
        if training:
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
        }

    def _attend(self, queries, keys, values):
        """For each query, of (batch, queries, inner), the values that it looks at."""
        scores = ops.cast(ops.einsum("bjc,bic->bji", queries, keys), "float32")
        weights = ops.cast(ops.softmax(scores, axis=-1), values.dtype)
        return ops.einsum("bji,bic->bjc", weights, values)

    def _attend_in_parts(self, queries, keys, values):
        """The same, `_HELD` weights of one image at a time."""
        batch, places, inner = ops.shape(queries)
        if isinstance(places, int) and places <= _FEW:
            return self._attend(queries, keys, values)

        # On a CPU half precision costs more to convert than it saves where channels are few.
        queries, keys, values = (ops.cast(part, "float32") for part in (queries, keys, values))
        rows = ops.maximum(1, _HELD // places)
        blocks = (places + rows - 1) // rows

        def attend(number, parts):
            image, first = number // blocks, number % blocks * rows
            one = slice(image, image + 1)
            part = self._attend(queries[one, first : first + rows], keys[one], values[one])
            return number + 1, parts.write(number, part[0])

        parts = tf.TensorArray(
            "float32",
            size=0,
            dynamic_size=True,
            infer_shape=False,
            element_shape=[None, values.shape[-1]],
        )
        _, parts = tf.while_loop(lambda number, _: number < batch * blocks, attend, (0, parts))
        attended = ops.reshape(parts.concat(), (batch, places, inner))
        return ops.cast(attended, self.compute_dtype)

    def _convolution(self, filters, name):
        convolution = keras.layers.Conv2D(filters, 1, dtype=self.dtype_policy, name=name)
        return SpectralNormalization(convolution) if self.spectral_normalization else convolution
