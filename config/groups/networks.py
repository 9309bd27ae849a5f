"""The settings of the networks."""

import functools
from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import File, PositiveInt, Proportion
from config.groups.setting import ADVERSARIAL, Need, setting
from models.networks.encoder_recipes import ENCODERS

_NEW = Need(lambda settings: not settings.pretrained, "with --pretrained")
_NO_ENCODER = Need(lambda settings: settings.encoder == "none", "with --encoder {encoder}")
_NEW_ENCODER = Need(
    lambda settings: settings.encoder != "none" and not settings.pretrained,
    "without --encoder or with --pretrained",
)
_NEW_ATTENTION = Need(
    lambda settings: (
        not settings.pretrained and (settings.model == "sagan" or settings.decoder_attention)
    ),
    "with --pretrained, or without --decoder_attention",
)

_TAUGHT_ALONE = Need(
    lambda settings: settings.hints_share and settings.pretrained,
    "without --hints_share and --pretrained",
)
_network_setting = functools.partial(setting, fixed="weights")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class NetworkSettings:
    """The architecture of generator and discriminator.

    ChromaGAN's generator follows the figure of its paper, without skip connections or attention.
    """

    # Half of the U-Net's 64: 7.8 M parameters and a quarter of the computation.
    filters: PositiveInt = _network_setting(
        "channels of the generator at full size (at half size with pix2pix and encoder_decoder, "
        "at a quarter with chromagan)",
        32,
    )
    discriminator_filters: PositiveInt | None = _network_setting(
        "channels of the discriminator's first convolution (default: 32; 64 for patch and pixel, "
        "16 for conv4)",
        needs=[ADVERSARIAL],
    )
    depth: PositiveInt | None = _network_setting(
        "how many times the networks halve the size; a pretrained encoder has its own depth "
        "(default: 4; with pix2pix, as often as --resolution can be halved)",
        needs=[_NO_ENCODER],
        aliases=("num_downs",),
    )
    # In table 1 of the SAGAN paper, attention on 32x32 features gives the best scores.
    attention_resolution: PositiveInt = _network_setting(
        "apply self-attention to the features whose size is nearest to this",
        32,
        needs=[_NEW_ATTENTION],
        models=("sagan", "pix2pix", "encoder_decoder"),
        metavar="PIXELS",
    )
    # With 2, as in the code of SAGAN's authors, there are a quarter of the products.
    attention_pool: Literal[1, 2] = _network_setting(
        "let self-attention attend to the maxima of N x N positions", 1, models=("sagan",)
    )
    color_stride: Literal[1, 2, 4] = _network_setting(
        "predict one color for each N x N pixels; colors are upsampled along the lightness anyway, "
        "and fewer of them are faster",
        1,
        models=("sagan",),
    )
    # Without hints, because they are taught to finished weights in a fraction of the time.
    hints_share: Proportion = setting(
        "share of the training images that get hints, some of their true colors, so that the "
        "network follows --hints; 0 for a network without",
        0.0,
        models=("sagan",),
        fixed="checkpoint",
    )
    hints_alone: bool = setting(
        "train only the part of the network that follows hints; colors without hints stay what "
        "they are",
        False,
        needs=[_TAUGHT_ALONE],
        models=("sagan",),
        fixed="checkpoint",
    )
    norm: Literal["batch", "instance", "none"] = _network_setting(
        "normalization in the generator, and in pix2pix's patch and pixel discriminators", "batch"
    )
    encoder: str = _network_setting(
        "pretrained network to use as the generator's encoder path",
        "none",
        choices=("none", *ENCODERS),
    )
    encoder_weights: File = setting(
        "weights of the encoder: `imagenet` (Keras' cache, or downloaded), `none`, or a file",
        "imagenet",
        needs=[_NEW_ENCODER],
        metavar="{imagenet,none,PATH}",
    )
    skip_connections: bool = _network_setting(
        "concatenate encoder and decoder features of the same size, as in a U-Net",
        False,
        needs=[_NEW],
        models=("encoder_decoder",),
    )
    decoder_attention: bool = _network_setting(
        "apply self-attention in the decoder, at --attention_resolution",
        False,
        needs=[_NEW],
        models=("pix2pix", "encoder_decoder"),
    )
    # The paper's choice. `pool` accepts images of any size and trains a quarter of the weights.
    global_features: Literal["flatten", "pool"] = _network_setting(
        "input of the dense layers: `flatten`, the features of all positions, for images of the "
        "training size only; `pool`, their mean over all positions, for images of any size",
        "flatten",
        models=("chromagan",),
    )
    input_channels: Literal[1, 3] = _network_setting(
        "input channels of the generator, 1 or 3; with 3 the lightness is repeated",
        1,
        needs=[_NO_ENCODER],
        models=("pix2pix",),
    )
    discriminator: Literal["patch", "pixel", "conv4"] = _network_setting(
        "discriminator of patches of 70 pixels (patch), single pixels (pixel) or images (conv4)",
        "patch",
        needs=[ADVERSARIAL],
        models=("pix2pix",),
    )
