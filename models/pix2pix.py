"""pix2pix that colors: the U-Net and the discriminators of Isola et al."""

import keras

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import (
    conv4_discriminator,
    patch_discriminator,
    pixel_discriminator,
)
from models.networks.pix2pix_unet import pix2pix_unet

# Each from its filters and the normalization of the generator.
_DISCRIMINATORS = {
    "patch": patch_discriminator,
    "pixel": pixel_discriminator,
    "conv4": lambda filters, norm: conv4_discriminator(filters),
}


class Pix2Pix(AdversarialColorizer):
    """The conditional GAN of Isola et al., from lightness to ab.

    The discriminator is asked for true and for colored images apart, because its batch
    normalization would mix them, and its loss, whichever it is, is halved, as in the paper
    (section 3.3).

    Where it differs from the paper: dropout stands as in the authors' later program, not in the
    innermost block on the decoder path. What colors is a moving average of the generator
    (`ema_decay` 0: the generator itself), without dropout and with the moving statistics of its
    normalization, so that a photograph's colors depend neither on chance nor on its neighbors in
    the batch.

    Args:
        filters: int, channels of the generator at half size. Defaults to `64`.
        depth: int, how many times the generator halves the size; with an encoder, which has its
            own depth, not used. Defaults to `8`, the paper's for 256 px.
        norm: str, `batch`, `instance` or `none`, in both networks but for the discriminator
            `conv4`, which has none. Defaults to `batch`.
        encoder: str, `none` or a pretrained network in place of the generator's encoder path.
        input_channels: int, 1 or 3: how often the lightness is given to the generator.
        attention_level: int or None, the level of the decoder path at which self-attention stands:
            level k is 1/2^k of the size. Defaults to `None`, as in the paper.
        discriminator: str, `patch`, `pixel` or `conv4`. Defaults to `patch`.
        discriminator_filters: int, channels of its first convolution. Defaults to `64`.
        freeze_encoder_statistics: bool, let the encoder's batch normalizations keep the statistics
            that they come with; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None, `imagenet` or a path, of the encoder.
        ema_decay: float, of the EMA generator.

    Example:
        model = Pix2Pix(depth=7)
        model.compile(adam, another_adam, Reconstruction({"l1": 100.0}), VanillaAdversarial(0.0))
        model.fit(batches, steps_per_epoch=100)

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017.
    """

    discriminator_weight = 0.5

    def __init__(
        self,
        filters: int = 64,
        depth: int = 8,
        norm: str = "batch",
        encoder: str = "none",
        input_channels: int = 1,
        attention_level: int | None = None,
        discriminator: str = "patch",
        discriminator_filters: int = 64,
        freeze_encoder_statistics: bool = False,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
    ):
        architecture = {
            "filters": filters,
            "depth": depth,
            "norm": norm,
            "encoder": encoder,
            "input_channels": input_channels,
            "attention_level": attention_level,
            "discriminator": discriminator,
            "discriminator_filters": discriminator_filters,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=self.build_generator(architecture, encoder_weights),
            generator_ema=self.build_generator(architecture),
            discriminator=_DISCRIMINATORS[discriminator](discriminator_filters, norm),
            ema_decay=ema_decay,
            name="pix2pix",
        )
        self.architecture = architecture

    @staticmethod
    def build_generator(architecture: dict, encoder_weights: str | None = None) -> keras.Model:
        """Builds the network that colors, from the architecture in settings.json."""
        return pix2pix_unet(
            downs=architecture["depth"],
            filters=architecture["filters"],
            norm=architecture["norm"],
            input_channels=architecture["input_channels"],
            encoder=architecture["encoder"],
            encoder_weights=encoder_weights,
            # Weights of before there was a choice have moved them.
            freeze_encoder_statistics=architecture.get("freeze_encoder_statistics", False),
            # Weights of before there was a choice have none.
            attention_level=architecture.get("attention_level"),
        )

    def score_both(self, real_lab, fake_lab):
        return self.discriminator(real_lab, training=True), self.discriminator(
            fake_lab, training=True
        )

    def score(self, lab):
        # As it learns: its normalization takes the statistics of the batch.
        return self.discriminator(lab, training=True)
