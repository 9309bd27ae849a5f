"""The variants of a colored photograph that a person may choose from."""

from dataclasses import dataclass

from inference.palette import Palette


@dataclass(frozen=True)
class Variant:
    """A way to color a photograph: no more than values of other settings, under a name.

    Attributes:
        name: str, as in the names of files, or empty.
        weights: str or None, the name of pretrained weights, or None for those that color
            otherwise.
        saturation, calm: float or None, as for `PhotoColorizer.color`.
        palette: `Palette` or None, as for `PhotoColorizer.color`.
    """

    name: str = ""
    weights: str | None = None
    saturation: float | None = None
    calm: float | None = None
    palette: Palette | None = None


# What a colorizer was set to.
AS_SET = Variant()

# By their names, in the order in which they are offered. The colorfulness of the default weights'
# colors is 0.7 of that of true ones, for which `vivid` makes up.
VARIANTS = {
    variant.name: variant
    for variant in (
        Variant("calm", saturation=1.0, calm=1.0),
        Variant("as_is", saturation=1.0, calm=0.0),
        Variant("vivid", saturation=1.4, calm=0.0),
        *(Variant(name, name, 1.0, 0.0) for name in ("sagan", "chromagan", "pix2pix")),
    )
}
