"""The colorizer of InceptionResNetV2 and a decoder, alone or against a PatchGAN."""

import keras

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import patch_discriminator
from models.networks.encoder_decoder import encoder_decoder


class EncoderDecoder(AdversarialColorizer):
    """A network for recognition that is followed by a decoder, five blocks for its five halvings.

    Args:
        filters: int, channels of the decoder at half size; they double with each further halving.
            Defaults to `32`.
        norm: str, `batch`, `instance` or `none`, in the decoder. Defaults to `none`.
        encoder: str, what the generator begins with. Defaults to `inception_resnet_v2`.
        skip_connections: bool, join the encoder's features to the decoder's. Defaults to `False`.
        attention_level: int or None, the level of the decoder at which self-attention stands:
            level k is 1/2^k of the size. Defaults to `None`.
        discriminator_filters: int, channels of its first convolution. Defaults to `64`.
        freeze_encoder_statistics: bool, let the encoder's batch normalizations keep the statistics
            that they come with; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None, `imagenet` or a path, of the encoder.
        ema_decay: float, of the EMA generator.

    Example:
        model = EncoderDecoder(encoder_weights="imagenet")
        model.compile(adam, another_adam, Reconstruction({"mse": 1.0}))
        model.fit(batches, steps_per_epoch=100)
    """

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
    ):
        architecture = {
            "filters": filters,
            "norm": norm,
            "encoder": encoder,
            "skip_connections": skip_connections,
            "attention_level": attention_level,
            "discriminator_filters": discriminator_filters,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=self.build_generator(architecture, encoder_weights),
            generator_ema=self.build_generator(architecture),
            # Its samples stay apart, so that any adversarial loss may be chosen.
            discriminator=patch_discriminator(discriminator_filters, norm="none"),
            ema_decay=ema_decay,
            name="encoder_decoder",
        )
        self.architecture = architecture

    @staticmethod
    def build_generator(architecture: dict, encoder_weights: str | None = None) -> keras.Model:
        """Builds the network that colors, from the architecture in settings.json."""
        return encoder_decoder(
            filters=architecture["filters"],
            norm=architecture["norm"],
            encoder=architecture["encoder"],
            encoder_weights=encoder_weights,
            freeze_encoder_statistics=architecture["freeze_encoder_statistics"],
            skip_connections=architecture["skip_connections"],
            attention_level=architecture["attention_level"],
        )
