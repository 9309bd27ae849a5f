"""The settings of the schedule: epochs, phases, learning rates and optimizers."""

from dataclasses import dataclass
from typing import Literal

from config.groups.argument_types import (
    Count,
    Decay,
    Fraction,
    NotNegative,
    PositiveInt,
    Rate,
    Scale,
)
from config.groups.setting import ADVERSARIAL, Need, Remembered, setting

_GENERATOR_ALONE = Need(
    lambda settings: settings.generator_epochs or settings.adversarial == "none",
    "without --generator_epochs",
)
_DISCRIMINATOR_ALONE = Need(
    lambda settings: settings.discriminator_epochs, "without --discriminator_epochs"
)
_PLATEAU = Need(lambda settings: settings.lr_schedule == "plateau", "without --lr_schedule plateau")
_PRETRAINED_ENCODER = Need(
    lambda settings: (
        settings.pretrained or (settings.encoder != "none" and settings.encoder_weights != "none")
    ),
    "without a pretrained --encoder",
)
_DECAY = Need(
    lambda settings: settings.optimizer != "adam",
    "with --optimizer adam (adamw is Adam with weight decay)",
)
_SECOND_BETA = Need(lambda settings: settings.optimizer != "sgd", "with --optimizer sgd")
_SKIPPING = Need(lambda settings: settings.nan == "skip", "without --nan skip")


@dataclass(frozen=True, init=False, repr=False, eq=False)
class ScheduleSettings:
    """When which network is trained, and how fast."""

    # Long: training can be stopped at any time, and the weights so far can be used.
    epochs: PositiveInt = setting("number of epochs in total", 50)
    generator_epochs: Count = setting(
        "train the generator alone for the first N epochs (NoGAN)", 0, needs=[ADVERSARIAL]
    )
    discriminator_epochs: Count = setting(
        "then train the discriminator alone for N epochs", 0, needs=[ADVERSARIAL]
    )
    discriminator_steps: PositiveInt = setting(
        "discriminator steps per generator step, when both are trained", 1, needs=[ADVERSARIAL]
    )
    # Both rates and both betas are SAGAN's (two time-scale update rule).
    generator_lr: Rate = setting(
        "learning rate of the generator", 1e-4, forget=Remembered.RATE_REDUCTIONS
    )
    discriminator_lr: Rate = setting(
        "learning rate of the discriminator",
        4e-4,
        needs=[ADVERSARIAL],
        forget=Remembered.RATE_REDUCTIONS,
    )
    generator_lr_alone: Rate | None = setting(
        "learning rate of the generator while it is trained alone (default: --generator_lr)",
        needs=[_GENERATOR_ALONE],
        forget=Remembered.RATE_REDUCTIONS,
    )
    discriminator_lr_alone: Rate | None = setting(
        "learning rate of the discriminator while it is trained alone (default: "
        "--discriminator_lr)",
        needs=[_DISCRIMINATOR_ALONE],
        forget=Remembered.RATE_REDUCTIONS,
    )
    encoder_lr_share: Scale = setting(
        "learning rate of the pretrained encoder, as a share of the generator's; a smaller one "
        "keeps more of what it knows",
        1.0,
        needs=[_PRETRAINED_ENCODER],
        fixed="checkpoint",
    )
    lr_schedule: Literal["constant", "plateau", "cosine", "linear"] = setting(
        "schedule of both learning rates: plateau lowers them when the validation loss (without "
        "validation, the training loss) stops falling while the generator is trained alone; cosine "
        "lowers them to 0 along half a cosine wave; linear keeps them for half of the epochs and "
        "then lowers them to 0",
        "constant",
        forget=Remembered.RATE_REDUCTIONS,
    )
    # The patience of the report on the InceptionResNetV2 colorizer, and Keras' factor.
    plateau_patience: PositiveInt = setting(
        "epochs without a lower loss before the rates are lowered (plateau only)",
        3,
        needs=[_PLATEAU],
    )
    plateau_factor: Fraction = setting(
        "factor by which the rates are then multiplied (plateau only)", 0.1, needs=[_PLATEAU]
    )
    warmup_steps: Count = setting(
        "raise the rates linearly from 0 in the first N steps of the training", 0
    )
    freeze_encoder_epochs: Count = setting(
        "freeze the encoder for the first N epochs, so that the decoder is trained first",
        0,
        needs=[_PRETRAINED_ENCODER],
        fixed="checkpoint",
    )
    optimizer: Literal["adam", "adamw", "sgd", "lion"] = setting(
        "Keras optimizer of both networks; lion needs a third to a tenth of Adam's rates",
        "adam",
        fixed="checkpoint",
    )
    weight_decay: NotNegative | None = setting(
        "weight decay, except for biases and normalizations (default: 0.004 with adamw, else none)",
        needs=[_DECAY],
        metavar="RATE",
    )
    beta_1: Decay = setting("beta_1 of Adam and Lion; momentum of SGD", 0.0)
    beta_2: Decay = setting("beta_2 of Adam and Lion", 0.9, needs=[_SECOND_BETA])
    # An average of about the last thousand steps; usual for GANs (Karras et al. 2018).
    ema_decay: Decay = setting(
        "decay of the EMA generator, the moving average that colors; 0 for no average", 0.999
    )

    nan: Literal["stop", "skip"] = setting(
        "what to do when losses or gradients are NaN or infinite: stop ends the training, skip "
        "undoes the step and continues with the next batch",
        "stop",
    )
    # A few nonfinite steps do no harm; many mean that the training diverges.
    nan_limit: Count = setting(
        "steps that may be skipped before the training ends", 10, needs=[_SKIPPING]
    )
