"""The U-Net of SAGAN: lightness in, ab out, any height and width."""

import keras

from data.color.ab_bins import BINS
from models.layers.gray_image import GrayImage
from models.layers.hint_squares import HintSquares
from models.layers.padding import CropLike, PadToMultiple
from models.layers.self_attention import SelfAttention
from models.networks.blocks import small_weights, spectral_convolution, spectral_pair
from models.networks.encoder_recipes import ENCODERS
from models.networks.encoders import pretrained_encoder
from models.networks.hint_network import hint_network

# Hints are followed at 1/2^k of the image size, for the price of a fraction of the decoder path.
_HINT_LEVEL = 2


def unet(
    filters: int = 32,
    depth: int = 4,
    attention_level: int | None = 2,
    norm: str = "batch",
    encoder: str = "none",
    encoder_weights: str | None = None,
    freeze_encoder_statistics: bool = False,
    color_stride: int = 1,
    attention_pool: int = 1,
    hints: bool = False,
    name: str = "generator",
) -> keras.Model:
    """Builds a U-Net of spectrally normalized convolutions with self-attention.

    The encoder path has pairs of 3x3 convolutions and average pooling. Each level of the decoder
    path has nearest neighbor upsampling and a 2x2 convolution, whose output is concatenated with
    the features of the same size on the encoder path, and a pair of 3x3 convolutions. A pretrained
    encoder can replace the encoder path.

    Args:
        filters: int, channels at full size; they double at every level. Defaults to `32`.
        depth: int, how many times the size is halved; ignored with an encoder, which has its own
            depth. Defaults to `4`.
        attention_level: int or None, the level with self-attention, on the encoder path and on the
            decoder path (with a pretrained encoder on the decoder path alone). Level k is 1/2^k of
            the image size. Defaults to `2`.
        norm: str, `batch`, `instance` or `none`. Defaults to `batch`.
        encoder: str, `none` or one of `ENCODERS`. Defaults to `none`.
        encoder_weights: as `weights` in `pretrained_encoder`.
        freeze_encoder_statistics: as `freeze_statistics` in `pretrained_encoder`.
        color_stride: int, a power of 2. The decoder path ends at 1/color_stride of the image size:
            colors are coarse, and the finest levels are the most expensive. Defaults to `1`.
        attention_pool: int, `pool` of `SelfAttention`. Defaults to `1`.
        hints: bool, whether the network takes hints and has a `hint_network`. Defaults to `False`.
        name: str.

    Returns:
        `keras.Model` from lightness, (batch, height, width, 1), to ab, (batch,
        ceil(height / color_stride), ceil(width / color_stride), 2), float32, both scaled as in
        `lab1`. With `hints`, from a list of lightness; hints, (batch, height, width, 3): ab, and
        how much of the pixel is hinted, from 0 to 1; and palettes, (batch, 529), as made by
        `data.color.ab_bins.ab1_to_palette`, or zeros for none. Without hints and palette, the
        colors of an image are those of the network without `hints`, to the last bit.

    Raises:
        ValueError: `color_stride` is not a power of 2, or the decoder path ends before
            `attention_level`.

    Reference: Ronneberger et al., "U-Net", MICCAI 2015; Zhang et al., "Self-Attention Generative
    Adversarial Networks", ICML 2019.
    """
    lightness = keras.Input((None, None, 1), name="lightness")
    depth = depth if encoder == "none" else len(ENCODERS[encoder].levels)
    last_level = _last_level(color_stride, depth, attention_level)
    padded = PadToMultiple(2**depth, name="pad")(lightness)
    if encoder == "none":
        levels = _encoder_path(padded, filters, depth, attention_level, attention_pool, norm)
    else:
        gray = GrayImage(name="gray")(padded)
        levels = [
            padded,
            *pretrained_encoder(
                encoder, encoder_weights, freeze_statistics=freeze_encoder_statistics
            )(gray),
        ]
    decoded = _decoder_path(levels, last_level, filters, attention_level, attention_pool, norm)
    # With small weights an untrained network colors in gray, not in noise.
    ab = keras.layers.Conv2D(
        2,
        1,
        activation="tanh",
        kernel_initializer=small_weights(),
        dtype="float32",
        name="ab",
    )(decoded[last_level])
    inputs = lightness
    if hints:
        given = keras.Input((None, None, 3), name="given_hints")
        palette = keras.Input((BINS,), name="given_palette")
        inputs = [lightness, given, palette]
        padded_hints = PadToMultiple(2**depth, dtype="float32", name="pad_hints")(given)
        ab = _follow(padded_hints, palette, ab, padded, decoded, last_level)
    ab = CropLike(color_stride, dtype="float32", name="crop")([ab, lightness])
    return keras.Model(inputs, ab, name=name)


def _follow(hints, palette, ab, lightness, decoded: dict, last_level: int):
    """Adds to ab what a `hint_network` makes of hints at a level of the decoder path."""
    deepest = max(decoded)
    level = min(max(_HINT_LEVEL, last_level), deepest)
    side = 2 ** (level - last_level)
    colors = ab if side == 1 else keras.layers.AveragePooling2D(side, dtype="float32")(ab)
    features = [decoded[level], *([decoded[level + 1]] if level < deepest else [])]
    channels = [each.shape[-1] for each in features]
    network = hint_network(channels[0], channels[1] if len(channels) > 1 else None, deepest - level)
    addition = network(
        [
            *features,
            keras.layers.AveragePooling2D(2**level)(lightness),
            colors,
            HintSquares(2**level, name="hint_squares")(hints),
            palette,
        ]
    )
    if side > 1:
        addition = keras.layers.UpSampling2D(side, interpolation="bilinear", dtype="float32")(
            addition
        )
    return keras.layers.Add(dtype="float32", name="hinted_ab")([ab, addition])


def _last_level(color_stride: int, depth: int, attention_level: int | None) -> int:
    """The level at which the decoder path ends."""
    level = color_stride.bit_length() - 1
    if color_stride != 2**level or level > depth:
        raise ValueError(
            f"`color_stride` should be a power of 2 of at most {2**depth}. Received: "
            f"`color_stride={color_stride}`"
        )
    if attention_level is not None and attention_level < level:
        raise ValueError(
            f"`attention_level` should be at least {level} with `color_stride={color_stride}`. "
            f"Received: `attention_level={attention_level}`"
        )
    return level


def _encoder_path(
    features,
    filters: int,
    depth: int,
    attention_level: int | None,
    attention_pool: int,
    norm: str,
) -> list:
    """Returns the features of every level, the finest first."""
    levels = []
    for level in range(depth + 1):
        if level > 0:
            features = keras.layers.AveragePooling2D(2)(features)
        features = spectral_pair(features, filters * 2**level, "relu", norm)
        if level == attention_level:
            features = SelfAttention(pool=attention_pool, name="attention_down")(features)
        levels.append(features)
    return levels


def _decoder_path(
    levels: list,
    last_level: int,
    filters: int,
    attention_level: int | None,
    attention_pool: int,
    norm: str,
) -> dict:
    """Returns the features by level."""
    features = levels[-1]
    if attention_level == len(levels) - 1:
        features = SelfAttention(pool=attention_pool, name="attention_up")(features)
    decoded = {len(levels) - 1: features}
    for level in reversed(range(last_level, len(levels) - 1)):
        features = keras.layers.UpSampling2D(2, interpolation="nearest")(features)
        features = spectral_convolution(filters * 2**level, 2)(features)
        features = keras.layers.Concatenate()([features, levels[level]])
        features = spectral_pair(features, filters * 2**level, "relu", norm)
        if level == attention_level:
            features = SelfAttention(pool=attention_pool, name="attention_up")(features)
        decoded[level] = features
    return decoded
