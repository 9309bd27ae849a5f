"""The variants of a colored photograph that a person may choose from."""

from inference.look import Look

# By their names, in the order in which they are offered. The colorfulness of the default weights'
# colors is 0.7 of that of true ones, for which `vivid` makes up.
VARIANTS = {
    variant.name: variant
    for variant in (
        Look("calm", saturation=1.0, calm=1.0),
        Look("as_is", saturation=1.0, calm=0.0),
        Look("vivid", saturation=1.4, calm=0.0),
        *(Look(name, name, 1.0, 0.0) for name in ("sagan", "chromagan", "pix2pix")),
    )
}
