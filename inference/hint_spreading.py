"""Spreads what a network left of its hints, so that a color that was asked for is there."""

from collections.abc import Sequence

import numpy as np

from inference.hints import HintSquare

# Deviations of the weights: in shares of the side, in units of L, and of ab.
NEAR = (0.15, 6.0, 8.0)
FAR = (0.25, 8.5, 20.0)
_AROUND = (0.03, 6.0, 20.0)

# The weight at which a residual is followed by half.
_FLOOR = 0.05


def spread_residuals(
    lightness: np.ndarray,
    ab: np.ndarray,
    squares: Sequence[HintSquare],
    deviations: tuple[float, float, float] = NEAR,
) -> np.ndarray:
    """Changes predicted colors so that hints are kept, and with them what is near and alike.

    Every position x follows the residuals r_k of the hints k, which are the differences of their
    colors from the mean ab in their squares, by its distance d from them and by how much its
    lightness and its predicted color differ:

        w_k(x) = exp(-d^2 / 2 s_d^2 - (L(x) - L_k)^2 / 2 s_L^2 - |ab(x) - ab_k|^2 / 2 s_ab^2)
        ab(x) += sum_k w_k(x) r_k / (sum_k w_k(x) + floor)

    Where hints contradict each other something is left, which is spread around them once more, and
    the rest is added within the squares alone.

    Args:
        lightness: float32 array of shape (height, width, 1), L in [0, 100].
        ab: float32 array of shape (height, width, 2), a and b of CIE Lab.
        squares: sequence of `HintSquare`, on the grid of `ab`.
        deviations: tuple of s_d (a share of the side), s_L and s_ab. `NEAR` is for networks that
            have seen the hints, `FAR` for those that have not. Defaults to `NEAR`.

    Returns:
        float32 array like `ab`.

    Reference: the weights are those of a joint bilateral filter (Petschnigg et al., "Digital
    Photography with Flash and No-Flash Image Pairs", SIGGRAPH 2004).
    """
    if not squares:
        return ab
    colors = ab
    for each in (deviations, _AROUND):
        weights = np.stack([_weights(lightness, ab, square, each) for square in squares])
        residuals = np.stack([square.ab - _mean(colors, square) for square in squares])
        total = weights.sum(axis=0)[..., None] + np.float32(_FLOOR)
        colors = colors + np.einsum("khw,kc->hwc", weights, residuals.astype("float32")) / total
    for square in squares:
        colors[square.rows, square.columns] += square.ab - _mean(colors, square)
    return colors


def _weights(
    lightness: np.ndarray,
    ab: np.ndarray,
    square: HintSquare,
    deviations: tuple[float, float, float],
) -> np.ndarray:
    """How much each position is like that of a hint, in (0, 1]."""
    height, width = ab.shape[:2]
    rows = (np.arange(height, dtype="float32") + 0.5) / height
    columns = (np.arange(width, dtype="float32") + 0.5) / width
    own = square.rows, square.columns
    of_distance, of_lightness, of_color = (0.5 / deviation**2 for deviation in deviations)
    distances = (rows - rows[square.rows].mean())[:, None] ** 2
    distances = distances + (columns - columns[square.columns].mean()) ** 2
    return np.exp(
        -of_distance * distances
        - of_lightness * (lightness[..., 0] - lightness[own].mean()) ** 2
        - of_color * ((ab - ab[own].mean(axis=(0, 1))) ** 2).sum(axis=-1)
    )


def _mean(ab: np.ndarray, square: HintSquare) -> np.ndarray:
    return ab[square.rows, square.columns].mean(axis=(0, 1))
