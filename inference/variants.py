"""The variants of a colored photograph that a person may choose from."""

from inference.look import Look
from inference.palette import Palette

# The commonest colors of four clusters (k-means) of the palettes of 2,500 training images, named by
# what they have more of than the others: a, b and the share in thousandths.
_CLUSTERS = {
    "greens": (
        *((0, 0, 151), (0, 10, 89), (-10, 20, 85), (-10, 10, 82), (-20, 30, 66), (-10, 30, 58)),
        *((-20, 20, 43), (0, -10, 38), (-20, 40, 35), (-10, 0, 34), (0, 20, 32), (-30, 30, 21)),
    ),
    "reds": (
        *((0, 0, 186), (10, 10, 119), (10, 20, 100), (0, 10, 81), (20, 20, 67), (10, 0, 44)),
        *((20, 30, 44), (20, 10, 35), (0, -10, 30), (10, 30, 29), (0, 20, 20), (30, 20, 14)),
    ),
    "blues": (
        *((0, 0, 196), (0, -10, 146), (0, -20, 78), (0, 10, 75), (0, -30, 50), (-10, -10, 35)),
        *((-10, 0, 35), (-10, -20, 26), (0, -40, 25), (10, 10, 25), (10, 0, 23), (-10, 10, 20)),
    ),
    "yellows": (
        *((0, 10, 216), (0, 0, 162), (0, 20, 147), (10, 20, 66), (0, 30, 47), (10, 10, 46)),
        *((10, 30, 40), (0, -10, 29), (-10, 10, 26), (-10, 0, 18), (-10, 20, 18), (0, 40, 15)),
    ),
}

# By their names, in the order in which they are offered. The colorfulness of the default weights'
# colors is 0.7 of that of true ones, for which `vivid` makes up.
VARIANTS = {
    variant.name: variant
    for variant in (
        Look("calm", saturation=1.0, calm=1.0),
        Look("as_is", saturation=1.0, calm=0.0),
        Look("vivid", saturation=1.4, calm=0.0),
        *(Look(name, None, 1.0, 0.0, Palette(colors)) for name, colors in _CLUSTERS.items()),
        *(Look(name, name, 1.0, 0.0) for name in ("sagan", "chromagan", "pix2pix")),
    )
}
