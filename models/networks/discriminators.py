"""Discriminators: networks that tell true colors from generated ones."""

import keras
from keras import ops

from models.layers.self_attention import SelfAttention
from models.layers.spectral_normalization import SpectralNormalization
from models.networks.blocks import normalize, small_weights, spectral_pair


def vgg_discriminator(
    filters: int = 32,
    depth: int = 4,
    attention_level: int | None = 2,
    attention_pool: int = 1,
    name: str = "discriminator",
) -> keras.Model:
    """Builds a VGG-like critic with one logit for each Lab image.

    It has pairs of spectrally normalized 3x3 convolutions with leaky ReLU 0.2, average pooling, and
    self-attention at one level. The features are summed over all positions, as in the projection
    discriminator, and a dense unit computes the logit.

    Args:
        filters: int, channels at full size; they double at every level. Defaults to `32`.
        depth: int, how many times the size is halved. Defaults to `4`.
        attention_level: int or None, the level with self-attention. Defaults to `2`.
        attention_pool: int, `pool` of `SelfAttention`. Defaults to `1`.
        name: str.

    Returns:
        `keras.Model` from Lab scaled as in `lab1`, (batch, height, width, 3), to logits,
        (batch, 1), float32, larger for images that look real.

    Reference: Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR
    2018; Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019.
    """
    lab = keras.Input((None, None, 3), name="lab")
    features = lab
    for level in range(depth + 1):
        if level > 0:
            features = keras.layers.AveragePooling2D(2)(features)
        features = spectral_pair(features, filters * 2**level, "leaky_relu")
        if level == attention_level:
            features = SelfAttention(pool=attention_pool, name="attention")(features)
    # A sum over many positions needs the range and the precision of float32.
    features = ops.sum(ops.cast(features, "float32"), axis=(1, 2))
    logits = SpectralNormalization(keras.layers.Dense(1, dtype="float32", name="logits"))(features)
    return keras.Model(lab, logits, name=name)


def patch_discriminator(
    filters: int = 64, norm: str = "batch", name: str = "discriminator"
) -> keras.Model:
    """Builds the 70x70 PatchGAN of pix2pix, with a logit for each patch of 70x70 pixels.

    It has 4x4 convolutions with leaky ReLU 0.2, three of stride 2 and two of stride 1, each padded
    by one pixel. For 256 px there are 30x30 logits.

    Args:
        filters: int, channels of the first convolution; they double up to eight times as many.
            Defaults to `64`.
        norm: str, `batch`, `instance` or `none`, after all convolutions but the first and the last.
            Defaults to `batch`.
        name: str.

    Returns:
        `keras.Model` from Lab scaled as in `lab1`, (batch, height, width, 3), to logits,
        (batch, height / 8 - 2, width / 8 - 2, 1), float32, larger for images that look real.

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017, section 6.1.2.
    """
    lab = keras.Input((None, None, 3), name="lab")
    features = _leaky(_convolution(filters, 4, 2)(_pad(lab)))
    for factor, stride in ((2, 2), (4, 2), (8, 1)):
        convolution = _convolution(factor * filters, 4, stride, use_bias=norm != "batch")
        features = _leaky(normalize(convolution(_pad(features)), norm))
    logits = _convolution(1, 4, dtype="float32", name="logits")(_pad(features))
    return keras.Model(lab, logits, name=name)


def pixel_discriminator(
    filters: int = 64, norm: str = "batch", name: str = "discriminator"
) -> keras.Model:
    """Builds the PixelGAN of pix2pix, with a logit for each pixel that depends on it alone.

    Args:
        filters: int, channels of the first of three 1x1 convolutions; the second has twice as many.
            Defaults to `64`.
        norm: str, `batch`, `instance` or `none`, after the second convolution. Defaults to `batch`.
        name: str.

    Returns:
        `keras.Model` from Lab scaled as in `lab1`, (batch, height, width, 3), to logits,
        (batch, height, width, 1), float32, larger for images that look real.

    Reference: Isola et al., as for `patch_discriminator`.
    """
    lab = keras.Input((None, None, 3), name="lab")
    use_bias = norm != "batch"
    features = _leaky(_convolution(filters, 1)(lab))
    features = normalize(_convolution(2 * filters, 1, use_bias=use_bias)(features), norm)
    logits = _convolution(1, 1, use_bias=use_bias, dtype="float32", name="logits")(_leaky(features))
    return keras.Model(lab, logits, name=name)


def conv4_discriminator(filters: int = 16, name: str = "discriminator") -> keras.Model:
    """Builds a weak critic for comparison: four 4x4 convolutions of stride 3 and a dense unit.

    Args:
        filters: int, channels of the first convolution; each further one has twice as many.
            Defaults to `16`.
        name: str.

    Returns:
        `keras.Model` from Lab scaled as in `lab1`, (batch, height, width, 3), with no side below
        121 pixels, to logits, (batch, 1), float32, larger for images that look real. The features
        of larger images are averaged over all positions.
    """
    lab = keras.Input((None, None, 3), name="lab")
    features = lab
    for number in range(4):
        features = _leaky(_convolution(filters * 2**number, 4, 3)(features))
    features = ops.mean(ops.cast(features, "float32"), axis=(1, 2))
    logits = keras.layers.Dense(
        1, kernel_initializer=small_weights(), dtype="float32", name="logits"
    )
    return keras.Model(lab, logits(features), name=name)


def _convolution(filters: int, size: int, stride: int = 1, **options) -> keras.layers.Conv2D:
    return keras.layers.Conv2D(
        filters, size, strides=stride, kernel_initializer=small_weights(), **options
    )


def _pad(features):
    return keras.layers.ZeroPadding2D(1)(features)


def _leaky(features):
    return keras.layers.LeakyReLU(negative_slope=0.2)(features)
