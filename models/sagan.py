"""The SAGAN colorizer: a spectrally normalized U-Net and a VGG-like critic."""

from typing import Any

import keras

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import vgg_discriminator
from models.networks.unet import unet


@keras.saving.register_keras_serializable("colorizer")
class SAGAN(AdversarialColorizer):
    """A spectral-norm U-Net with self-attention, trained with or without a discriminator.

    Args:
        filters: int, channels of the generator at full size. Defaults to `32`.
        depth: int, how many times both networks halve the size. An encoder has its own depth,
            so that this applies to the discriminator alone. Defaults to `4`.
        attention_level: int, the level of both networks with self-attention: level k is 1/2^k of
            the image size. Defaults to `2`.
        norm: str, `batch`, `instance` or `none`, normalization of the generator. Defaults to
            `batch`.
        encoder: str, `none` or a pretrained network that replaces the generator's encoder path.
            Defaults to `none`.
        discriminator_filters: int, channels of the discriminator at full size. Defaults to `32`.
        freeze_encoder_statistics: bool, whether the encoder's batch normalizations always use the
            statistics of the loaded weights; see `pretrained_encoder`. Defaults to `False`.
        color_stride: int, `color_stride` of `unet`: the generator gives ab of
            ceil(side / color_stride), and the model enlarges it. Defaults to `1`.
        attention_pool: int, `pool` of `SelfAttention` in both networks. Defaults to `1`.
        hints: bool, whether the generator takes hints; see `unet`. Defaults to `False`.
        encoder_weights: None for random weights, `imagenet`, or the path of a file. Defaults to
            `None`.
        ema_decay: float, decay of the EMA generator. Defaults to `0.999`.
        name: str. Defaults to `sagan`.

    Example:
        model = SAGAN(filters=4, depth=2, discriminator_filters=4)
        model.compile(
            keras.optimizers.Adam(1e-4), keras.optimizers.Adam(4e-4), {"l1": 10.0}, "hinge"
        )
        model.fit(lightness, true_ab)
        model(lightness)                                     # ab of shape (2, 32, 32, 2)

    Reference:
        Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019; Ronneberger et
        al., "U-Net", MICCAI 2015; Antic, "NoGAN", for first training the generator alone.
    """

    network = staticmethod(unet)

    def __init__(
        self,
        filters: int = 32,
        depth: int = 4,
        attention_level: int = 2,
        norm: str = "batch",
        encoder: str = "none",
        discriminator_filters: int = 32,
        freeze_encoder_statistics: bool = False,
        color_stride: int = 1,
        attention_pool: int = 1,
        hints: bool = False,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
        name: str = "sagan",
    ):
        network: dict[str, Any] = {
            "filters": filters,
            "depth": depth,
            "attention_level": attention_level,
            "norm": norm,
            "encoder": encoder,
            "freeze_encoder_statistics": freeze_encoder_statistics,
            "color_stride": color_stride,
            "attention_pool": attention_pool,
            "hints": hints,
        }
        super().__init__(
            generator=unet(**network, encoder_weights=encoder_weights),
            discriminator=vgg_discriminator(
                discriminator_filters, depth, attention_level, attention_pool
            ),
            architecture={**network, "discriminator_filters": discriminator_filters},
            ema_decay=ema_decay,
            name=name,
        )
