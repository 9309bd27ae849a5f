"""Colors that a person may mean at a place of a photograph."""

import numpy as np

from data.color.gamut import pull_into_gamut
from data.color.lab import lab100_to_rgb1, rgb1_to_rgb255

# Degrees by which the hue of the predicted color is turned, and the chroma that it has at least
# then: the neighbors of gray would be gray.
_TURNS = (-35.0, 35.0)
_LEAST_CHROMA = 15.0

# Colors of what is in most photographs: names, hues in degrees and chroma, of CIE Lab. Skin, sky
# and leaves are those of the ColorChecker's patches (dark and light skin, blue sky, foliage; D50,
# as its maker publishes them); the others were chosen by eye.
_NATURAL = (
    ("skin", 45.0, 22.0),
    ("sky", 257.0, 22.0),
    ("leaves", 121.0, 26.0),
    ("wood", 65.0, 28.0),
    ("brick", 40.0, 38.0),
    ("denim", 280.0, 18.0),
)
_MOST = 8

# Units of ab below which two colors look alike.
_ALIKE = 6.0


def suggest_colors(lab100: np.ndarray) -> list[tuple[str, str]]:
    """Suggests colors for a place, at its own lightness.

    First the color that is predicted there, then its neighbors in hue and what is common in
    photographs; colors that look alike are suggested once.

    Args:
        lab100: float array of shape (3,), the lightness of the place and its predicted color.

    Returns:
        List of at most 8 tuples of a name and a color as `#rrggbb`.

    Example:
        suggest_colors(np.array([60.0, 5.0, 20.0]))     # [("as predicted", "#a78d6e"), ...]
    """
    lightness, predicted = float(lab100[0]), np.asarray(lab100[1:], "float64")
    chroma = max(float(np.hypot(*predicted)), _LEAST_CHROMA)
    hue = float(np.degrees(np.arctan2(predicted[1], predicted[0])))
    wanted = [("as predicted", predicted)]
    wanted += [("neighboring hue", _ab(hue + turn, chroma)) for turn in _TURNS]
    wanted += [(name, _ab(hue, chroma)) for name, hue, chroma in _NATURAL]
    colors = np.array([(lightness, *ab) for _, ab in wanted], "float32")
    shown = np.asarray(pull_into_gamut(colors))
    rgb255 = np.asarray(rgb1_to_rgb255(lab100_to_rgb1(shown)))
    kept: list[int] = []
    for number, color in enumerate(shown):
        if all(np.hypot(*(color - shown[other])[1:]) > _ALIKE for other in kept):
            kept.append(number)
    return [(wanted[number][0], "#" + bytes(rgb255[number]).hex()) for number in kept[:_MOST]]


def _ab(hue: float, chroma: float) -> np.ndarray:
    return chroma * np.array([np.cos(np.radians(hue)), np.sin(np.radians(hue))])
