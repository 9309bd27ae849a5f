"""The U-Net of pix2pix: lightness in, ab out."""

import keras
from keras import ops

from models.layers.gray_image import GrayImage
from models.layers.padding import CropLike, PadToMultiple
from models.layers.resumable_dropout import ResumableDropout
from models.layers.self_attention import SelfAttention
from models.layers.wide_convolution import WideConv2D
from models.layers.wide_transposed_convolution import WideConv2DTranspose
from models.networks.blocks import normalize, small_weights
from models.networks.encoder_recipes import ENCODERS
from models.networks.encoders import pretrained_encoder

# The widest features have this many times the channels at half size.
_WIDEST = 8
# The innermost decoder block and the four nearest to the image have no dropout.
_BLOCKS_WITHOUT_DROPOUT = 4
_DROPOUT_RATE = 0.5


def pix2pix_unet(
    depth: int = 8,
    filters: int = 64,
    norm: str = "batch",
    input_channels: int = 1,
    encoder: str = "none",
    encoder_weights: str | None = None,
    freeze_encoder_statistics: bool = False,
    attention_level: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """Builds the U-Net of Isola et al.

    The encoder path has `depth` 4x4 convolutions of stride 2 with leaky ReLU 0.2; the first and the
    last are not normalized. The decoder path has 4x4 transposed convolutions of stride 2 with ReLU,
    concatenated with the features of the same size on the encoder path, and dropout of one half in
    its inner blocks.

    Args:
        depth: int, how many times the size is halved. Defaults to `8`, as in the paper for 256 px.
        filters: int, channels at half size; they double with each halving, up to eight times as
            many. Defaults to `64`.
        norm: str, `batch`, `instance` or `none`. Defaults to `batch`.
        input_channels: int, how many input channels repeat the lightness; ignored with an encoder,
            which takes gray images. Defaults to `1`.
        encoder: str, `none` or one of `ENCODERS`, a pretrained encoder path with its own depth.
            Defaults to `none`.
        encoder_weights: as `weights` in `pretrained_encoder`.
        freeze_encoder_statistics: as `freeze_statistics` in `pretrained_encoder`.
        attention_level: int or None, self-attention on the decoder path, on features of 1/2^level
            of the image size. Defaults to `None`, as in the paper.
        name: str.

    Returns:
        `keras.Model` from lightness, (batch, height, width, 1), to ab, (batch, height, width, 2),
        float32, both scaled as in `lab1`. Sizes that are not multiples of 2^depth are padded.

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, section 6.1.1.
    """
    lightness = keras.Input((None, None, 1), name="lightness")
    depth = depth if encoder == "none" else len(ENCODERS[encoder].levels)
    padded = PadToMultiple(2**depth, name="pad")(lightness)
    if encoder != "none":
        gray = GrayImage(name="gray")(padded)
        levels = pretrained_encoder(
            encoder, encoder_weights, freeze_statistics=freeze_encoder_statistics
        )(gray)
    else:
        repeated = ops.repeat(padded, input_channels, axis=-1) if input_channels > 1 else padded
        levels = _encoder_path(repeated, depth, filters, norm)
    ab = _decoder_path(levels, filters, norm, attention_level)
    return keras.Model(
        lightness, CropLike(dtype="float32", name="crop")([ab, lightness]), name=name
    )


def _encoder_path(features, depth: int, filters: int, norm: str) -> list:
    """Returns the features of every level before activation, the finest first."""
    levels = []
    for level in range(depth):
        is_outer = level in (0, depth - 1)
        if level:
            features = keras.layers.LeakyReLU(negative_slope=0.2)(features)
        features = WideConv2D(
            _channels(filters, level),
            4,
            strides=2,
            padding="same",
            use_bias=norm != "batch",
            kernel_initializer=small_weights(),
            name=f"down_{level}",
        )(features)
        if not is_outer:
            features = normalize(features, norm)
        levels.append(features)
    return levels


def _decoder_path(levels: list, filters: int, norm: str, attention_level: int | None):
    depth = len(levels)
    features = levels[-1]
    for level in reversed(range(1, depth)):
        features = keras.layers.ReLU()(features)
        features = _transposed(
            _channels(filters, level - 1), use_bias=norm != "batch", name=f"up_{level}"
        )(features)
        features = normalize(features, norm)
        if _BLOCKS_WITHOUT_DROPOUT <= level < depth - 1:
            features = ResumableDropout(_DROPOUT_RATE)(features)
        features = keras.layers.Concatenate()([levels[level - 1], features])
        if level == attention_level:
            features = SelfAttention(name="attention_up")(features)
    features = keras.layers.ReLU()(features)
    return _transposed(2, activation="tanh", dtype="float32", name="ab")(features)


def _channels(filters: int, level: int) -> int:
    return filters * min(2**level, _WIDEST)


def _transposed(filters: int, **options) -> WideConv2DTranspose:
    return WideConv2DTranspose(
        filters, 4, strides=2, padding="same", kernel_initializer=small_weights(), **options
    )
