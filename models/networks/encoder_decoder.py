"""A generator with a pretrained encoder and a plain decoder: lightness in, ab out."""

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
    """Builds an encoder and a decoder that has one block for each halving of the encoder.

    A block is a 3x3 convolution, ReLU and upsampling to twice the size. A last convolution computes
    ab, which is resized to the size of the input, because each encoder rounds sizes differently.

    Args:
        filters: int, channels of the last of the five blocks; each block before has twice as many.
            Defaults to `32`.
        norm: str, `batch`, `instance` or `none`, after the decoder's convolutions. Defaults to
            `none`.
        encoder: str, one of `ENCODERS`. Defaults to `inception_resnet_v2`.
        encoder_weights: as `weights` in `pretrained_encoder`.
        freeze_encoder_statistics: as `freeze_statistics` in `pretrained_encoder`.
        skip_connections: bool, whether to concatenate the encoder's features of the same size to
            those of each block. Defaults to `False`.
        attention_level: int or None, self-attention in the decoder on features of 1/2^level of the
            image size. Defaults to `None`.
        name: str.

    Returns:
        `keras.Model` from lightness, (batch, height, width, 1), of any size, to ab, (batch,
        height, width, 2), float32, both scaled as in `lab1`.

    Raises:
        ValueError: `attention_level` is not one of the encoder's levels.

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
            f"`attention_level` should be from 1 to {len(levels)} or None. Received: "
            f"`attention_level={attention_level}`"
        )
    features = levels[-1]
    for level in range(len(levels), 0, -1):
        if level == attention_level:
            features = SelfAttention(name="attention_up")(features)
        features = _block(features, filters * 2 ** (level - 1), norm, f"up_{level}")
        if skip_connections and level > 1:
            same_size = ResizeLike(name=f"skip_{level - 1}")([levels[level - 2], features])
            features = layers.Concatenate()([features, same_size])
    # With zeros an untrained network colors in gray: the features of pretrained encoders are large,
    # and without a normalization after them even small weights gave half of the range of ab.
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
