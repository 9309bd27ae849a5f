"""The self-attention GAN that colors: a spectrally normalized U-Net and a VGG-like critic."""

import keras

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import vgg_discriminator
from models.networks.unet import unet


class SAGAN(AdversarialColorizer):
    """The spectral-norm self-attention U-Net, trained with or without an adversary.

    Args:
        filters: int, channels of the generator at full size. Defaults to `32`.
        depth: int, how many times the networks halve the size; with an encoder, which has its own
            depth, only the discriminator does. Defaults to `4`.
        attention_level: int, the level at which self-attention stands in both networks: level k
            is 1/2^k of the size. Defaults to `2`.
        norm: str, `batch`, `instance` or `none`, in the generator. Defaults to `batch`.
        encoder: str, `none` or a pretrained network in place of the generator's encoder path.
        discriminator_filters: int, channels of the discriminator at full size.
        freeze_encoder_statistics: bool, let the encoder's batch normalizations keep the statistics
            that they come with; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None, `imagenet` or a path, of the encoder.
        ema_decay: float, of the EMA generator.

    Example:
        model = SAGAN(filters=16, encoder="mobilenet_v2", encoder_weights="imagenet")
        model.compile(adam, adam_of_the_critic, Reconstruction({"l1": 10.0}), HingeAdversarial())
        model.fit(batches, steps_per_epoch=100)

    Reference:
        Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019; Ronneberger et
        al., "U-Net", MICCAI 2015; Antic, "NoGAN", for training the generator alone first.
    """

    def __init__(
        self,
        filters: int = 32,
        depth: int = 4,
        attention_level: int = 2,
        norm: str = "batch",
        encoder: str = "none",
        discriminator_filters: int = 32,
        freeze_encoder_statistics: bool = False,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
    ):
        architecture = {
            "filters": filters,
            "depth": depth,
            "attention_level": attention_level,
            "norm": norm,
            "encoder": encoder,
            "discriminator_filters": discriminator_filters,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=self.build_generator(architecture, encoder_weights),
            generator_ema=self.build_generator(architecture),
            discriminator=vgg_discriminator(discriminator_filters, depth, attention_level),
            ema_decay=ema_decay,
            name="sagan",
        )
        self.architecture = architecture

    @staticmethod
    def build_generator(architecture: dict, encoder_weights: str | None = None) -> keras.Model:
        """Builds the network that colors, from the architecture in settings.json."""
        return unet(
            filters=architecture["filters"],
            depth=architecture["depth"],
            attention_level=architecture["attention_level"],
            norm=architecture["norm"],
            encoder=architecture["encoder"],
            encoder_weights=encoder_weights,
            # Weights of before there was a choice have moved them.
            freeze_encoder_statistics=architecture.get("freeze_encoder_statistics", False),
        )
