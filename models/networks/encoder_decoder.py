"""The generator of an encoder for recognition and a plain decoder: lightness in, ab out."""

import keras
from keras import layers

from models.layers.gray_image import GrayImage
from models.layers.resizing import ResizeLike
from models.layers.self_attention import SelfAttention
from models.networks.blocks import normalize
from models.networks.encoders import pretrained_encoder


def encoder_decoder(
    filters: int = 32,
    norm: str = "none",
    encoder: str = "inception_resnet_v2",
    encoder_weights: str | None = None,
    freeze_encoder_statistics: bool = False,
    skip_connections: bool = False,
    attention_level: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """An encoder and a decoder of one block for each of its halvings.

    A block is a 3x3 convolution, ReLU and an enlargement to twice the size. A last convolution
    makes ab, which is resized to the size of the input: encoders round sizes, each in its way.

    Args:
        filters: int, channels of the last of the five blocks; each before it has twice as many.
        norm: str, `batch`, `instance` or `none`, of the decoder's convolutions.
        encoder: str, one of `ENCODERS`.
        encoder_weights: as in `pretrained_encoder`.
        freeze_encoder_statistics: bool, `freeze_statistics` there.
        skip_connections: bool, join the encoder's features of the same size to each block's.
        attention_level: int or None, self-attention in the decoder, on features of 1/2^level of
            the size.
        name: str.

    Returns:
        `keras.Model` from lightness, (batch, height, width, 1), of any size, to ab, (batch,
        height, width, 2), float32, both in the range of networks.

    Raises:
        ValueError: the encoder does not halve images `attention_level` times.

    Reference: Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual
    Connections on Learning", AAAI 2017, for the encoder.
    """
    lightness = keras.Input((None, None, 1), name="lightness")
    gray = GrayImage(name="gray")(lightness)
    levels = pretrained_encoder(
        encoder, encoder_weights, freeze_statistics=freeze_encoder_statistics, exact=False
    )(gray)
    if attention_level is not None and not 1 <= attention_level <= len(levels):
        raise ValueError(
            f"attention_level is from 1 to {len(levels)} or None; received {attention_level}"
        )
    features = levels[-1]
    for level in range(len(levels), 0, -1):
        if level == attention_level:
            features = SelfAttention(name="attention_up")(features)
        features = _block(features, filters * 2 ** (level - 1), norm, f"up_{level}")
        if skip_connections and level > 1:
            same_size = ResizeLike(name=f"skip_{level - 1}")([levels[level - 2], features])
            features = layers.Concatenate()([features, same_size])
    # A fresh network colors in gray: features of pretrained encoders are large, and without a
    # normalization behind them even small weights gave half of all ab there is.
    ab = layers.Conv2D(
        2,
        3,
        padding="same",
        activation="tanh",
        kernel_initializer="zeros",
        dtype="float32",
        name="ab",
    )(features)
    ab = ResizeLike(dtype="float32", name="resize")([ab, lightness])
    return keras.Model(lightness, ab, name=name)


def _block(features, filters: int, norm: str, name: str):
    # A normalization that subtracts the mean makes the bias useless.
    convolution = layers.Conv2D(filters, 3, padding="same", use_bias=norm == "none", name=name)
    features = layers.ReLU()(normalize(convolution(features), norm))
    return layers.UpSampling2D(2)(features)
