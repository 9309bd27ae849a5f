"""The part of a generator that colors without hints."""

import keras

from models.layers.padding import CropLike


def without_hints(generator: keras.Model) -> keras.Model:
    """The part of a network that takes hints which colors without them; it shares its layers."""
    lightness = generator.inputs[0]
    ab = CropLike(generator.get_layer("crop").stride, dtype="float32", name="crop")(
        [generator.get_layer("ab").output, lightness]
    )
    return keras.Model(lightness, ab, name=generator.name)
