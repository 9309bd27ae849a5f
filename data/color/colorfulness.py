"""The colorfulness of an image as a single number."""

from types import ModuleType
from typing import Any

import numpy as np


def colorfulness(rgb255: Any, numpy: ModuleType = np, epsilon: float = 0.0) -> Any:
    """Computes the colorfulness of Hasler and Suesstrunk.

    With rg = R - G and yb = (R + G)/2 - B, both signed, the colorfulness is
    sqrt(std(rg)^2 + std(yb)^2) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2). Observers called images with
    a value of 0 "not colorful", 15 "slightly", 33 "moderately", 59 "quite" and 109 "extremely
    colorful".

    Args:
        rgb255: floating-point array or tensor of shape (..., height, width, 3), in [0, 255].
        numpy: module, `numpy` or, inside a graph, `keras.ops`. Defaults to `numpy`.
        epsilon: float, added under both square roots. Without it their gradients are infinite at
            a gray image. Defaults to `0.0`.

    Returns:
        Array or tensor of shape (...): one number for each image, 0 for a gray one.

    Example:
        colorfulness(255.0 * np.asarray(true_rgb1))                    # array of shape (2,)
        colorfulness(255.0 * true_rgb1, ops, epsilon=1e-6)             # tensor of shape (2,)

    Reference: Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 2003,
    equation of the metric M3. Published variants give different numbers: one omits std(yb) under
    the first root; DDColor takes absolute values of rg and yb first. Neither is used here.
    """
    red, green, blue = rgb255[..., 0], rgb255[..., 1], rgb255[..., 2]
    red_green = red - green
    yellow_blue = 0.5 * (red + green) - blue
    pixels = (-2, -1)
    spread = numpy.sqrt(
        numpy.var(red_green, axis=pixels) + numpy.var(yellow_blue, axis=pixels) + epsilon
    )
    offset = numpy.sqrt(
        numpy.mean(red_green, axis=pixels) ** 2
        + numpy.mean(yellow_blue, axis=pixels) ** 2
        + epsilon
    )
    return spread + 0.3 * offset
