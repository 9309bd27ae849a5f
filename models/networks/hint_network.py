"""The network that makes a generator follow hints."""

import keras
from keras import KerasTensor as Tensor

from data.color.ab_bins import BINS
from models.layers.hint_attention import HintAttention
from models.layers.hint_squares import OnlyWithHints
from models.layers.palette_colors import PaletteColors

# The name of the network, by which a generator's part that follows hints is found.
HINTS = "hints"


def hint_network(
    fine: int, coarse: int | None, halvings: int, filters: int = 64, heads: int = 4
) -> keras.Model:
    """Builds the network that changes the colors of a generator as hints ask for.

    It sees the features from which the generator made its colors, and so what is in the image.
    `HintAttention` spreads the colors of the hints, and their differences from the predicted ones,
    and a small U-Net of plain convolutions decides for each position how far to follow either of
    each head, and what to add:

        ab += sum_h (s_h differences_h + t_h (colors_h - weight_h ab)) + u (p - ab) + c

    Here p are the `PaletteColors` of a palette, the colors that the whole image has.

    Args:
        fine: int, channels of the features at the size of the colors.
        coarse: int or None, channels of the features at half of that size, if there are any.
        halvings: int, how many times height and width can be halved, at most 2 are.
        filters: int, channels at the size of the colors. Defaults to `64`.
        heads: int, heads of the attention. Defaults to `4`.

    Returns:
        `keras.Model` from a list of features, (batch, height, width, fine) and, unless `coarse` is
        None, (batch, height / 2, width / 2, coarse); lightness (..., 1); predicted ab (..., 2);
        hints as `HintSquares` returns them (..., 3); and palettes (batch, 529), zeros for none, to
        what is to be added to ab, (batch, height, width, 2), float32, 0 without hints and palette.
        All are scaled as in `lab1`.
    """
    lightness, ab = keras.Input((None, None, 1)), keras.Input((None, None, 2))
    hints, finest = keras.Input((None, None, 3)), keras.Input((None, None, fine))
    palette = keras.Input((BINS,))
    inputs, parts = [finest], [finest, lightness, ab]
    if coarse is not None:
        inputs.append(keras.Input((None, None, coarse)))
        parts.append(keras.layers.UpSampling2D(2)(inputs[-1]))
    content = _convolved(_convolved(keras.layers.Concatenate()(parts), filters), filters)

    differences = keras.layers.Subtract(dtype="float32")([hints[..., :2], ab])
    values = keras.layers.Concatenate(dtype="float32")([differences, hints[..., :2]])
    spread = HintAttention(heads)([content, values, hints[..., 2:]])
    features = keras.layers.Concatenate()([content, spread, hints])
    features = _with_palette(features, palette, filters)
    features = _small_unet(features, filters, min(halvings, 2))

    # At first, all heads together follow the differences once, and hardly the colors.
    by_difference = _shares(features, heads, bias=-1.1)
    by_color = _shares(features, heads, bias=-4.0)
    addition = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", dtype="float32")(features)
    for head in range(heads):
        part = spread[..., 5 * head : 5 * head + 5]
        addition = addition + by_difference[..., head : head + 1] * part[..., :2]
        replaced = part[..., 2:4] - part[..., 4:] * ab
        addition = addition + by_color[..., head : head + 1] * replaced
    logits = keras.layers.Conv2D(BINS, 1, kernel_initializer="zeros", dtype="float32")(features)
    replaced = PaletteColors()([logits, palette]) - ab
    addition = addition + _shares(features, 1, bias=-4.0) * replaced
    addition = OnlyWithHints(dtype="float32")([addition, hints, palette])
    return keras.Model([*inputs, lightness, ab, hints, palette], addition, name=HINTS)


def _with_palette(features: Tensor, palette: Tensor, filters: int) -> Tensor:
    """The first features of the U-Net, to which those of the palette are added everywhere."""
    known = keras.layers.Dense(filters, kernel_initializer="he_normal")(palette)
    features = keras.layers.Conv2D(filters, 1)(features)
    return keras.layers.Add()([features, keras.layers.Reshape((1, 1, filters))(known)])


def _shares(features: Tensor, heads: int, bias: float) -> Tensor:
    return keras.layers.Conv2D(
        heads,
        1,
        activation="sigmoid",
        kernel_initializer="zeros",
        bias_initializer=keras.initializers.Constant(bias),
        dtype="float32",
    )(features)


def _small_unet(features: Tensor, filters: int, halvings: int) -> Tensor:
    levels = [_convolved(features, filters)]
    for _ in range(halvings):
        features = keras.layers.AveragePooling2D(2)(levels[-1])
        levels.append(_convolved(_convolved(features, 2 * filters), 2 * filters))
    features = levels.pop()
    while levels:
        features = keras.layers.Concatenate()([keras.layers.UpSampling2D(2)(features), levels[-1]])
        features = _convolved(features, levels.pop().shape[-1])
    return features


def _convolved(features: Tensor, filters: int) -> Tensor:
    return keras.layers.Conv2D(
        filters, 3, padding="same", activation="relu", kernel_initializer="he_normal"
    )(features)
