"""Colors that a person may mean at a place of a photograph."""

from collections.abc import Sequence

import numpy as np

from data.color.common_colors import CommonColors, band_of
from data.color.gamut import pull_into_gamut
from data.color.lab import lab100_to_rgb1, rgb1_to_rgb255

# Degrees by which the hue of the predicted color is turned, and the chroma that it has at least
# then: the neighbors of gray would be gray.
_TURNS = (-35.0, 35.0)
_LEAST_CHROMA = 15.0

_MOST = 8

# Units of ab below which two colors look alike.
_ALIKE = 6.0

# Names of hues of CIE Lab up to these degrees, and the chroma below which a color is called gray.
_HUES = (
    (25.0, "pink"),
    (50.0, "red"),
    (80.0, "orange"),
    (110.0, "yellow"),
    (165.0, "green"),
    (220.0, "teal"),
    (290.0, "blue"),
    (325.0, "violet"),
    (360.0, "pink"),
)
_GRAY_CHROMA = 6.0
# Orange and yellow that are darker are brown, and pink is purple; those that are weaker are beige,
# and red is pink.
_DARK, _WEAK = 60.0, 45.0


def suggest_colors(
    lab100: np.ndarray,
    common: CommonColors | None = None,
    variants: Sequence[tuple[str, np.ndarray]] = (),
) -> list[tuple[str, str]]:
    """Suggests colors for a place, at its own lightness.

    First the color that is predicted there, then those of the variants, then the commonest of the
    training images at this lightness, then the neighbors of the predicted one in hue; colors that
    look alike are suggested once.

    Args:
        lab100: float array of shape (3,), the lightness of the place and its predicted color.
        common: `CommonColors` of the training images, or None if they are not known. Defaults to
            `None`.
        variants: sequence of tuples of the name of a variant and the ab that it has at the place.
            Defaults to none.

    Returns:
        List of at most 8 tuples of a name and a color as `#rrggbb`.

    Example:
        suggest_colors(np.array([60.0, 5.0, 20.0]))     # [("as predicted", "#a78d6e"), ...]
    """
    lightness, predicted = float(lab100[0]), np.asarray(lab100[1:], "float64")
    chroma = max(float(np.hypot(*predicted)), _LEAST_CHROMA)
    hue = float(np.degrees(np.arctan2(predicted[1], predicted[0])))
    wanted = [("as predicted", predicted), *variants]
    if common:
        own = np.array(common[int(band_of(lightness))])
        wanted += [(_name(lightness, *ab), ab) for ab in own]
    wanted += [("neighboring hue", _ab(hue + turn, chroma)) for turn in _TURNS]
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


def _name(lightness: float, a: float, b: float) -> str:
    """An everyday name of a color."""
    chroma = np.hypot(a, b)
    if chroma < _GRAY_CHROMA:
        return "gray"
    hue = np.degrees(np.arctan2(b, a)) % 360.0
    name = next(name for end, name in _HUES if hue <= end)
    if name in ("orange", "yellow") and (lightness < _DARK or chroma < _WEAK):
        return "brown" if lightness < _DARK else "beige"
    if name == "red" and lightness >= _DARK and chroma < _WEAK:
        return "pink"
    return "purple" if name == "pink" and lightness < _DARK else name
