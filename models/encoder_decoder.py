"""InceptionResNetV2 and a decoder, trained alone or against a PatchGAN."""

from typing import Any

import keras

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import patch_discriminator
from models.networks.encoder_decoder import encoder_decoder


@keras.saving.register_keras_serializable("colorizer")
class EncoderDecoder(AdversarialColorizer):
    """A network for image recognition and a decoder of five blocks for its five halvings.

    Args:
        filters: int, channels of the decoder at half size; they double with each further halving.
            Defaults to `32`.
        norm: str, `batch`, `instance` or `none`, normalization of the decoder. Defaults to `none`.
        encoder: str, the pretrained network that the generator begins with. Defaults to
            `inception_resnet_v2`.
        skip_connections: bool, whether to concatenate the encoder's features to the decoder's.
            Defaults to `False`.
        attention_level: int or None, the decoder level with self-attention: level k is 1/2^k of
            the image size. Defaults to `None`.
        discriminator_filters: int, channels of the discriminator's first convolution. Defaults to
            `64`.
        freeze_encoder_statistics: bool, whether the encoder's batch normalizations always use the
            statistics of the loaded weights; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None for random weights, `imagenet`, or the path of a file. Defaults to
            `None`.
        ema_decay: float, decay of the EMA generator. Defaults to `0.999`.
        name: str. Defaults to `encoder_decoder`.

    Example:
        model = EncoderDecoder(filters=4, encoder="vgg16", discriminator_filters=4)
        model.compile(reconstruction={"mse": 1.0})
        model.fit(lightness, true_ab)
        model(lightness)                                     # ab of shape (2, 32, 32, 2)
    """

    network = staticmethod(encoder_decoder)

    def __init__(
        self,
        filters: int = 32,
        norm: str = "none",
        encoder: str = "inception_resnet_v2",
        skip_connections: bool = False,
        attention_level: int | None = None,
        discriminator_filters: int = 64,
        freeze_encoder_statistics: bool = False,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
        name: str = "encoder_decoder",
    ):
        network: dict[str, Any] = {
            "filters": filters,
            "norm": norm,
            "encoder": encoder,
            "skip_connections": skip_connections,
            "attention_level": attention_level,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=encoder_decoder(**network, encoder_weights=encoder_weights),
            # No batch normalization mixes samples, so that any adversarial loss may be chosen.
            discriminator=patch_discriminator(discriminator_filters, norm="none"),
            architecture={**network, "discriminator_filters": discriminator_filters},
            ema_decay=ema_decay,
            name=name,
        )
