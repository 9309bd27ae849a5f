"""How colorful an image is, in one number."""

from types import ModuleType

import numpy as np


def colorfulness(rgb255, numpy: ModuleType = np, epsilon: float = 0.0):
    """The colorfulness of Hasler and Suesstrunk.

    With rg = R - G and yb = (R + G)/2 - B, both signed, it is
    sqrt(std(rg)^2 + std(yb)^2) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2). People called images of 0
    "not colorful", 15 "slightly", 33 "moderately", 59 "quite" and 109 "extremely colorful".

    Args:
        rgb255: array or tensor of shape (..., height, width, 3), a floating type, in [0, 255].
        numpy: the module that computes: `numpy` itself, or `keras.ops` inside a graph.
        epsilon: float, added under both roots: their gradients at a gray image are infinite.

    Returns:
        Array or tensor of shape (...): one number for each image, 0 for a gray one.

    Reference: Hasler and Suesstrunk, "Measuring colourfulness in natural images", SPIE 2003,
    equation of the metric M3. Variants in print give other numbers: one leaves out std(yb), the
    deviation of yellow against blue, under the first root; DDColor's takes absolute values of rg
    and yb first. Neither is computed here.
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
