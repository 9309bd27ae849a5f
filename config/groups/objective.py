"""The settings of the objective."""

from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import File, Folder, Name, Proportion, Share, Term, Weight
from config.groups.setting import ADVERSARIAL, Need, Remembered, setting
from losses import REBALANCED, TERMS


def _needs_loss(name: str) -> Need:
    return Need(lambda settings: settings.adversarial == name, "with --adversarial {adversarial}")


_REBALANCED_TERM = Need(
    lambda settings: any(settings.reconstruction_weights.get(term) for term in REBALANCED),
    f"without one of the terms {', '.join(sorted(REBALANCED))} in --reconstruction",
)
_PERCEPTUAL_TERM = Need(
    lambda settings: "perceptual" in settings.reconstruction_weights,
    "without the term perceptual in --reconstruction",
)
_CLASS_HEAD = Need(lambda settings: settings.class_weight, "with --class_weight 0")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class ObjectiveSettings:
    """The losses and their weights."""

    adversarial: Literal["none", "vanilla", "lsgan", "hinge", "wgan-gp"] = setting(
        "adversarial loss, or `none` for no discriminator; hinge is SAGAN's", "hinge"
    )
    # With this weight the gradients of the adversarial loss are about as large as those of the
    # reconstruction loss. pix2pix's 1 to 100 is for ab in [-1, 1] and the mean logits of a
    # PatchGAN; SAGAN's logits are sums over positions.
    adversarial_weight: Weight = setting(
        "weight of the generator's adversarial loss", 0.1, needs=[ADVERSARIAL]
    )
    # The value of Gulrajani et al. 2017.
    gp_weight: Weight = setting(
        "weight of the gradient penalty (wgan-gp only)", 10.0, needs=[_needs_loss("wgan-gp")]
    )
    # Salimans et al. 2016 label real images 0.9.
    label_smoothing: Share = setting(
        "label real images 1 - SHARE (vanilla only)", 0.1, needs=[_needs_loss("vanilla")]
    )
    # A gray image costs about 0.09 in L1 and 0.2 in the perceptual term: with these weights the
    # true ab counts four times as much as natural features.
    reconstruction: tuple[Term, ...] = setting(
        "terms that compare with the true colors, with their weights (colorfulness compares with "
        f"nothing and rewards more color): {', '.join(TERMS)}",
        ("l1:10", "perceptual:1"),
        forget=Remembered.LOSSES,
    )
    # The colorizers of the papers weight all pixels the same.
    color_rebalancing: Proportion = setting(
        f"weight pixels of rare colors more in {', '.join(sorted(REBALANCED))}: 0, all pixels the "
        "same; 0.5, as in Zhang et al. 2016; 1, all colors of the training images the same",
        0.0,
        needs=[_REBALANCED_TERM],
        forget=Remembered.LOSSES,
    )
    perceptual_weights: File | None = setting(
        "VGG19's weights for the perceptual term, .h5 of Keras or .npz (default: Keras' cache, or "
        "downloaded)",
        needs=[_PERCEPTUAL_TERM],
    )

    # The weight and the teacher of Vitoria et al. 2020.
    class_weight: Weight = setting(
        "weight of the divergence from the teacher's class distribution; 0 for no class head",
        0.003,
        models=("chromagan",),
        forget=Remembered.TRAINING_LOSSES,
    )
    teacher: Name = setting(
        "classifier of the gray image whose class distribution is a training target: any network "
        "of keras.applications, such as mobilenet_v2",
        "vgg16",
        needs=[_CLASS_HEAD],
        models=("chromagan",),
    )
    teacher_weights: File | None = setting(
        "weights of the teacher, a file for the whole network (default: ImageNet's, from Keras' "
        "cache or downloaded)",
        needs=[_CLASS_HEAD],
        models=("chromagan",),
    )
    teacher_cache: Folder | None = setting(
        "save the teacher's class distributions for the central squares of the images in this "
        "folder, instead of running the teacher on every crop in every step",
        needs=[_CLASS_HEAD],
        models=("chromagan",),
    )
