"""The pix2pix colorizer: the U-Net and the discriminators of Isola et al."""

from typing import Any

import keras
from keras import KerasTensor as Tensor

from models.adversarial_colorizer import AdversarialColorizer
from models.networks.discriminators import (
    conv4_discriminator,
    patch_discriminator,
    pixel_discriminator,
)
from models.networks.pix2pix_unet import pix2pix_unet

# Functions of the filters and of the generator's normalization.
_DISCRIMINATORS = {
    "patch": patch_discriminator,
    "pixel": pixel_discriminator,
    "conv4": lambda filters, norm: conv4_discriminator(filters),
}


@keras.saving.register_keras_serializable("colorizer")
class Pix2Pix(AdversarialColorizer):
    """The conditional GAN of Isola et al., from lightness to ab.

    The discriminator is called separately for true and for colored images, because its batch
    normalization would mix them. Its loss, whichever is chosen, is halved as in the paper (section
    3.3).

    Differences from the paper: dropout is applied as in the authors' later code, not in the
    innermost block of the decoder path. Images are colored by a moving average of the generator
    (with `ema_decay=0` by the generator itself), without dropout and with moving statistics, so
    that the colors of an image depend neither on chance nor on the other images in the batch.

    Args:
        filters: int, channels of the generator at half size. Defaults to `64`.
        depth: int, how many times the generator halves the size; ignored with an encoder, which
            has its own depth. Defaults to `8`, as in the paper for 256 px.
        norm: str, `batch`, `instance` or `none`, in both networks except the discriminator
            `conv4`, which has none. Defaults to `batch`.
        encoder: str, `none` or a pretrained network that replaces the generator's encoder path.
            Defaults to `none`.
        input_channels: int, 1 or 3, the number of input channels that repeat the lightness.
            Defaults to `1`.
        attention_level: int or None, the level of the decoder path with self-attention: level k is
            1/2^k of the image size. Defaults to `None`, as in the paper.
        discriminator: str, `patch`, `pixel` or `conv4`. Defaults to `patch`.
        discriminator_filters: int, channels of the discriminator's first convolution. Defaults to
            `64`.
        freeze_encoder_statistics: bool, whether the encoder's batch normalizations always use the
            statistics of the loaded weights; see `pretrained_encoder`. Defaults to `False`.
        encoder_weights: None for random weights, `imagenet`, or the path of a file. Defaults to
            `None`.
        ema_decay: float, decay of the EMA generator. Defaults to `0.999`.
        name: str. Defaults to `pix2pix`.

    Example:
        from losses import VanillaAdversarial

        model = Pix2Pix(filters=8, depth=5, discriminator_filters=8)
        model.compile(
            keras.optimizers.Adam(2e-4, beta_1=0.5),
            keras.optimizers.Adam(2e-4, beta_1=0.5),
            {"l1": 100.0},
            VanillaAdversarial(label_smoothing=0.0),
        )
        model.fit(lightness, true_ab)
        model(lightness)                                     # ab of shape (2, 32, 32, 2)

    Reference: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks",
    CVPR 2017.
    """

    network = staticmethod(pix2pix_unet)
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
        name: str = "pix2pix",
    ):
        network: dict[str, Any] = {
            "filters": filters,
            "depth": depth,
            "norm": norm,
            "encoder": encoder,
            "input_channels": input_channels,
            "attention_level": attention_level,
            "freeze_encoder_statistics": freeze_encoder_statistics,
        }
        super().__init__(
            generator=pix2pix_unet(**network, encoder_weights=encoder_weights),
            discriminator=_DISCRIMINATORS[discriminator](discriminator_filters, norm),
            architecture={
                **network,
                "discriminator": discriminator,
                "discriminator_filters": discriminator_filters,
            },
            ema_decay=ema_decay,
            name=name,
        )

    def score_both(self, real_lab: Tensor, fake_lab: Tensor) -> tuple[Tensor, Tensor]:
        return self.discriminator(real_lab, training=True), self.discriminator(
            fake_lab, training=True
        )

    def score(self, lab: Tensor) -> Tensor:
        # With batch statistics, as when the discriminator is trained.
        return self.discriminator(lab, training=True)
