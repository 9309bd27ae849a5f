"""Attention to hints against its equations in NumPy."""

import keras
import numpy as np
import pytest

from models.layers.hint_attention import HintAttention


def inputs(hinted, height=4, width=6, channels=5):
    """Features, values, and shares that are above 0 at the `hinted` positions."""
    random = np.random.default_rng(0)
    features = random.normal(size=(1, height, width, channels)).astype("float32")
    values = random.normal(size=(1, height, width, 2)).astype("float32")
    shares = np.zeros((1, height, width, 1), "float32")
    for row, column, share in hinted:
        shares[0, row, column] = share
    return features, values, shares


def attention(features, values, shares, layer):
    """The equations of the docstring for the first image, one position at a time."""
    (query, key, none), bias = (
        [dense.kernel.numpy() for dense in (layer.query, layer.key, layer.none)],
        layer.none.bias.numpy(),
    )
    height, width = features.shape[1:3]
    places = np.array(
        [[((row + 0.5) / height, (column + 0.5) / width) for column in range(width)]
         for row in range(height)]
    )  # fmt: skip
    hints = []
    for row in range(0, height, 2):
        for column in range(0, width, 2):
            own = np.s_[row : row + 2, column : column + 2]
            share = shares[0][own]
            if share.any():
                mean = lambda values: (share * values).sum((0, 1)) / share.sum()  # noqa: E731, B023
                hints.append([mean(part[own]) for part in (features[0], values[0], places)])
    output = np.zeros((height, width, layer.heads, 3))
    for row in range(height):
        for column in range(width):
            x, place = features[0, row, column], places[row, column]
            for head in range(layer.heads):
                part = np.s_[head * layer.size : (head + 1) * layer.size]
                nearness = np.exp(layer.log_nearness.numpy()[head])
                weights = [
                    np.exp(
                        (x @ query)[part] @ (hint @ key)[part] / layer.size**0.5
                        - nearness * ((place - at) ** 2).sum()
                        - (x @ none + bias)[head]
                    )
                    for hint, _, at in hints
                ]
                for weight, (_, value, _) in zip(weights, hints, strict=True):
                    output[row, column, head] += (
                        weight / (1 + sum(weights)) * np.array([*value, 1.0])
                    )
    return output.reshape(1, height, width, -1)


def test_equals_the_equations():
    keras.utils.set_random_seed(0)
    layer = HintAttention(heads=2, size=3)
    given = inputs([(0, 0, 1.0), (1, 1, 0.25), (3, 5, 0.5)])
    output = layer(given)
    np.testing.assert_allclose(output, attention(*given, layer), rtol=1e-4, atol=1e-5)


def test_without_hints_nothing_is_spread():
    keras.utils.set_random_seed(0)
    assert not np.any(HintAttention()(inputs([])))


def test_more_heads_than_reaches_are_refused():
    with pytest.raises(ValueError, match="Received: `heads=5`"):
        HintAttention(heads=5)
