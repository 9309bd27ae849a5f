"""Building blocks of the networks."""

from typing import Any

import keras
from keras import KerasTensor as Tensor

from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.layers.spectral_normalization import SpectralNormalization

NORMS = ("batch", "instance", "none")


def small_weights() -> keras.initializers.Initializer:
    """Returns an initializer of N(0, 0.02), as in pix2pix (section 6.2) and in DCGAN before it.

    Each layer needs a new one: an initializer returns the same numbers each time.
    """
    return keras.initializers.RandomNormal(stddev=0.02)


def spectral_convolution(filters: int, size: int, **options: Any) -> SpectralNormalization:
    """Returns a `Conv2D` with `same` padding and a spectrally normalized kernel."""
    return SpectralNormalization(
        keras.layers.Conv2D(filters, size, padding="same", **options),
    )


def spectral_pair(features: Tensor, filters: int, activation: str, norm: str = "none") -> Tensor:
    """Applies two spectrally normalized 3x3 convolutions, each with normalization and activation.

    Args:
        features: symbolic tensor of shape (batch, height, width, channels).
        filters: int, output channels of both convolutions.
        activation: str, `relu` or `leaky_relu`.
        norm: str, `batch`, `instance` or `none`. Defaults to `none`.

    Returns:
        Symbolic tensor of shape (batch, height, width, filters).
    """
    for _ in range(2):
        # A normalization that subtracts the mean makes the bias useless.
        features = spectral_convolution(filters, 3, use_bias=norm == "none")(features)
        features = normalize(features, norm)
        if activation == "leaky_relu":
            features = keras.layers.LeakyReLU(negative_slope=0.2)(features)
        else:
            features = keras.layers.ReLU()(features)
    return features


def normalize(features: Tensor, norm: str) -> Tensor:
    """Applies a normalization by its name: `batch`, `instance` or `none`."""
    if norm == "batch":
        return FusedBatchNormalization(epsilon=1e-5, momentum=0.9)(features)
    if norm == "instance":
        return keras.layers.GroupNormalization(groups=-1, epsilon=1e-5)(features)
    return features


def level_nearest(resolution: int, target: int, depth: int) -> int:
    """The number of halvings, at most `depth`, that bring `resolution` nearest to `target`."""
    return min(range(depth + 1), key=lambda level: abs(resolution / 2**level - target))
