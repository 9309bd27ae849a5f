"""Attention from every position of an image to the hints in it."""

from typing import Any

import keras
from keras import ops

# In units of logits: below all others, yet finite, so that a row without hints has no NaN.
_NEVER = -1e9

# How far hints reach at first, in shares of the image's side; the last head ignores distance.
_REACHES = (0.05, 0.15, 0.4, float("inf"))


@keras.saving.register_keras_serializable("colorizer")
class HintAttention(keras.layers.Layer):
    """Spreads hints over all that is like their places.

    Each head weighs the hints of position x by what is there and by how far they are, against a
    share that follows no hint:

        logit(x, k) = q(x) . key(k) / sqrt(size) - |x - k|^2 / (2 reach^2)
        weights(x) = softmax over all hints k and 0 of [0, logit(x, k) - none(x)]

    q, key and none are linear in the features, and reach is trained. Hints are pooled to squares of
    2 x 2 positions, with their mean place and features, which leaves a quarter of the products. The
    softmax is computed in float32.

    Inputs are a list of three tensors: features of shape (batch, height, width, channels); values
    of shape (batch, height, width, n), used where there are hints; and the share of each position
    that is hinted, of shape (batch, height, width, 1). Height and width can be any. The output has
    the shape (batch, height, width, heads * (n + 1)), float32: for each head the weighted sum of
    the values, and of ones, which is how much of the weight went to hints; 0 without hints.

    Args:
        heads: int, at most 4. Defaults to `4`.
        size: int, the size of keys and queries. Defaults to `16`.

    Reference: Vaswani et al., "Attention Is All You Need", NeurIPS 2017. Levin, Lischinski, Weiss,
    "Colorization Using Optimization", SIGGRAPH 2004, spreads colors by lightness alone.
    """

    def __init__(self, heads: int = 4, size: int = 16, **kwargs: Any):
        if not 1 <= heads <= len(_REACHES):
            raise ValueError(f"`heads` should be 1 to {len(_REACHES)}. Received: `heads={heads}`")
        super().__init__(**kwargs)
        self.heads = heads
        self.size = size

    def build(self, input_shape):
        features, *_ = input_shape
        count = self.heads * self.size
        options = {"use_bias": False, "dtype": self.dtype_policy}
        self.query = keras.layers.Dense(count, **options, name="query")
        self.key = keras.layers.Dense(count, **options, name="key")
        self.none = keras.layers.Dense(self.heads, dtype=self.dtype_policy, name="none")
        for layer in (self.query, self.key, self.none):
            layer.build(features)
        nearness = [0.5 / reach**2 for reach in _REACHES[: self.heads]]
        self.log_nearness = self.add_weight(
            shape=(self.heads,),
            # Between the trained values lie four orders of magnitude.
            initializer=lambda shape, dtype=None: ops.log(ops.cast(nearness, dtype) + 0.1),
            name="log_nearness",
        )

    def call(self, inputs):
        features, values, shares = inputs
        batch, height, width, _ = ops.shape(features)
        shares, values = (ops.cast(part, "float32") for part in (shares, values))
        places = _places(height, width)

        pooled = _pool(shares)
        present = ops.maximum(pooled, 1e-6)
        mean = lambda parts: _pool(shares * parts) / present  # noqa: E731
        keys = self._split(
            self.key(ops.cast(mean(ops.cast(features, "float32")), self.compute_dtype))
        )
        key_places = _flat(mean(ops.broadcast_to(places, (batch, height, width, 2))))
        values = ops.concatenate([_flat(mean(values)), _flat(ops.ones_like(pooled))], axis=-1)

        queries = self._split(self.query(features)) / self.size**0.5
        logits = ops.einsum("bqhc,bkhc->bhqk", queries, keys)
        nearness = ops.exp(ops.cast(self.log_nearness, "float32"))[None, :, None, None]
        distances = _squared_distances(ops.reshape(places, (1, -1, 2)), key_places)
        none = ops.transpose(_flat(ops.cast(self.none(features), "float32")), (0, 2, 1))
        logits -= nearness * distances[:, None] + none[..., None]
        logits = ops.where(_flat(pooled)[:, None, None, :, 0] > 0.0, logits, _NEVER)

        # Softmax with one more logit, 0, that needs no tensor of its own.
        largest = ops.stop_gradient(ops.maximum(ops.max(logits, axis=-1, keepdims=True), 0.0))
        weights = ops.exp(logits - largest)
        total = ops.sum(weights, axis=-1) + ops.exp(-largest[..., 0])
        spread = ops.einsum("bhqk,bkc->bqhc", weights, values)
        spread /= ops.transpose(total, (0, 2, 1))[..., None]
        return ops.reshape(spread, (batch, height, width, self.heads * values.shape[-1]))

    def compute_output_shape(self, input_shape):
        features, values, _ = input_shape
        return (*features[:-1], self.heads * (values[-1] + 1))

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(
            self.compute_output_shape([each.shape for each in inputs]), "float32"
        )

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "size": self.size}

    def _split(self, vectors):
        vectors = ops.cast(_flat(vectors), "float32")
        return ops.reshape(vectors, (*ops.shape(vectors)[:2], self.heads, self.size))


def _pool(features):
    # The squares of an odd last row or column are smaller.
    return ops.average_pool(features, 2, 2, padding="same")


def _flat(features):
    """(batch, height, width, channels) to (batch, height * width, channels)."""
    batch, height, width, channels = ops.shape(features)
    return ops.reshape(features, (batch, height * width, channels))


def _places(height, width):
    """The centers of all positions in shares of the sides, (1, height, width, 2)."""
    rows = (ops.cast(ops.arange(height), "float32") + 0.5) / ops.cast(height, "float32")
    columns = (ops.cast(ops.arange(width), "float32") + 0.5) / ops.cast(width, "float32")
    return ops.stack(ops.meshgrid(rows, columns, indexing="ij"), axis=-1)[None]


def _squared_distances(queries, keys):
    products = ops.einsum(
        "bqc,bkc->bqk",
        ops.broadcast_to(queries, (ops.shape(keys)[0], *ops.shape(queries)[1:])),
        keys,
    )
    squares = ops.sum(queries**2, axis=-1)[..., None] + ops.sum(keys**2, axis=-1)[:, None]
    return squares - 2.0 * products
