"""How the colors of a photograph are to look."""

from dataclasses import dataclass

from inference.palette import Palette


@dataclass(frozen=True)
class Look:
    """What a person asks for the colors of a whole photograph.

    Attributes:
        name: str, that of a variant, or empty.
        weights: str or None, the name of pretrained weights, or None for those that color
            otherwise. Whoever chooses the `PhotoColorizer` heeds it.
        saturation: float or None, the factor for all colors, or None for that of the colorizer.
        calm: float or None, the share by which colors that the network is unsure of are pulled
            toward gray, or None for that of the colorizer.
        palette: `Palette` or None, the colors that the photograph has. Defaults to `None`.

    Example:
        Look(saturation=1.2, palette=Palette.of_photograph("beach.jpg"))
    """

    name: str = ""
    weights: str | None = None
    saturation: float | None = None
    calm: float | None = None
    palette: Palette | None = None


# That of the colorizer.
AS_SET = Look()
