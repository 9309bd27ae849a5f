"""Networks that tell true colors from invented ones."""

import keras
from keras import ops

from models.layers.self_attention import SelfAttention
from models.layers.spectral_normalization import SpectralNormalization
from models.networks.blocks import spectral_pair


def vgg_discriminator(
    filters: int = 32,
    depth: int = 4,
    attention_level: int | None = 2,
    name: str = "discriminator",
) -> keras.Model:
    """A VGG-like critic: one number for each Lab picture.

    Pairs of spectrally normalized 3x3 convolutions with leaky ReLU 0.2 and average pooling, with
    self-attention at one level; the features are summed over all places, as in the projection
    discriminator, and one dense unit judges them.

    Args:
        filters: int, channels at full size; they double at every level.
        depth: int, how many times the size is halved.
        attention_level: int or None, the level at which self-attention stands.
        name: str.

    Returns:
        `keras.Model` from Lab in the range of networks, (batch, height, width, 3), to logits,
        (batch, 1), float32, larger for what looks real.

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
            features = SelfAttention(name="attention")(features)
    # A sum over many places needs the range and the steps of float32.
    features = ops.sum(ops.cast(features, "float32"), axis=(1, 2))
    logits = SpectralNormalization(keras.layers.Dense(1, dtype="float32", name="judge"))(features)
    return keras.Model(lab, logits, name=name)
