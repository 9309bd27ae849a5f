"""All settings of the program: their meaning, their defaults and their command-line options.

One flat dataclass holds them all. The command line, `--help` and `settings.json` are derived from
it, so that each setting is defined once. TensorFlow is not imported here, so that `--help` is fast.
"""

import dataclasses
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.argument_types import (
    Switch,
    count,
    model_name,
    name_part,
    not_negative,
    part_of,
    percent,
    positive,
    positive_int,
    proper_fraction,
    proportion,
    scale,
    seed,
    share,
    side,
    term,
)
from config.presets import PRESETS
from losses import REBALANCED, TERMS
from models.networks.encoder_recipes import ENCODERS

PRETRAINED_WEIGHTS = Path(__file__).resolve().parent.parent / "weights" / "pretrained"

MODELS = ("sagan", "pix2pix", "chromagan", "encoder_decoder")

# ChromaGAN cuts off its encoder after this many halvings.
CHROMAGAN_DEPTH = 3

# Settings that the weights of a training fix.
SHAPES = (
    "model",
    "filters",
    "discriminator_filters",
    "depth",
    "attention_resolution",
    "attention_pool",
    "color_stride",
    "norm",
    "encoder",
    "skip_connections",
    "decoder_attention",
    "global_features",
    "input_channels",
    "discriminator",
)

# Settings that only some models have. ChromaGAN's generator follows the figure of its paper,
# without skip connections or attention.
OF_MODELS = {
    "attention_resolution": ("sagan", "pix2pix", "encoder_decoder"),
    "attention_pool": ("sagan",),
    "color_stride": ("sagan",),
    "decoder_attention": ("pix2pix", "encoder_decoder"),
    "skip_connections": ("encoder_decoder",),
    "input_channels": ("pix2pix",),
    "discriminator": ("pix2pix",),
    "global_features": ("chromagan",),
    "class_weight": ("chromagan",),
    "teacher": ("chromagan",),
    "teacher_weights": ("chromagan",),
    "teacher_cache": ("chromagan",),
}

# Channels of a discriminator's first convolution, from the papers; SAGAN's has as many as its
# generator.
DISCRIMINATOR_FILTERS = {"vgg": 32, "patch": 64, "pixel": 64, "conv4": 16}

# Settings that hold a path, or a keyword instead of one.
PATHS = (
    "cache",
    "class_index",
    "data_dir",
    "dataset",
    "encoder_weights",
    "log_dir",
    "lpips_weights",
    "perceptual_weights",
    "pretrained",
    "sample_images",
    "teacher_cache",
    "teacher_weights",
)

# Settings for some datasets, which do not apply to others.
OF_DATASETS = ("categories", "data_dir", "dataset_weights")

# Settings that select the images.
OF_IMAGES = frozenset({"categories", "dataset", "max_images", "minimum_colorfulness"})

# The headings of `--help`, in order.
WHAT = "what to do"
DATA = "data"
NETWORKS = "networks"
OBJECTIVE = "objective"
SCHEDULE = "schedule"
RECORDS = "records"
COLORING = "coloring"
EVALUATION = "evaluation"

# The argument that selects each job; without one, the job is training. The order matters:
# `--evaluate --images` is an evaluation.
JOBS = {"evaluate": "evaluate", "colorize": "images", "inspect": "inspect"}

# The jobs that read a setting. `--inspect` accepts every setting of a new training, so that the
# user can add it to a training command.
INSPECTING = frozenset({"inspect"})
EVALUATING = frozenset({"evaluate"})
TRAINING = frozenset({"train", "inspect"})
USING_WEIGHTS = frozenset({"colorize", "evaluate"})
RESUMING = frozenset({"train"}) | USING_WEIGHTS
COLORIZING = frozenset({"colorize"})
OPENING_DATASETS = TRAINING | EVALUATING
ANY_JOB = TRAINING | USING_WEIGHTS


def setting(
    default: Any,
    help: str,
    group: str,
    jobs: frozenset = TRAINING,
    aliases: tuple[str, ...] = (),
    **options,
) -> Any:
    """Defines a field of `Settings` and its command-line option.

    Args:
        default: the default value. A tuple becomes a list.
        help: str, one sentence for `--help`.
        group: str, the heading in `--help`.
        jobs: frozenset of str, the jobs that read the setting.
        aliases: tuple of str, other names of the option.
        **options: keyword arguments of `ArgumentParser.add_argument`.
    """
    metadata = {
        "help": help,
        "group": group,
        "jobs": jobs,
        "aliases": aliases,
        "options": options,
    }
    if isinstance(default, tuple):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass
class Settings:
    """All settings of a job. The comments give the reasons for the defaults."""

    # --- what to do
    load_weights: bool = setting(
        False,
        "resume the training in --weights_dir from its last checkpoint; with --images or "
        "--evaluate, color with the weights of that training",
        WHAT,
        RESUMING,
    )
    images: list[str] | None = setting(
        None,
        "color these photographs: files, folders (searched recursively), or `demo`; with "
        "--evaluate, evaluate on them without true colors",
        WHAT,
        USING_WEIGHTS,
        nargs="+",
        action="extend",
        metavar="PATH",
    )
    evaluate: bool = setting(
        False,
        "evaluate weights (and the results of other programs) on the validation images of "
        "--dataset: print a table of metrics and write a sheet of images (evaluation.png in "
        "--output_dir)",
        WHAT,
        EVALUATING,
    )
    inspect: bool = setting(
        False,
        "show the training data: the datasets, a sheet of images (inspect.png in --output_dir), "
        "their colorfulness and the loading speed",
        WHAT,
        INSPECTING,
    )
    model: str = setting("sagan", "the colorizer", WHAT, ANY_JOB, type=model_name, choices=MODELS)
    preset: str | None = setting(
        None,
        "use the settings of an experiment; explicit options override them: "
        + "; ".join(
            f"`{name}`: {preset.sentence}"
            + (f" (from the weights of {preset.starts_from})" if preset.starts_from else "")
            for name, preset in PRESETS.items()
        ),
        WHAT,
        TRAINING,
        choices=tuple(PRESETS),
        metavar="NAME",
    )
    weights_dir: str | None = setting(
        None,
        "folder where training saves its weights and checkpoints (default: weights/MODEL or "
        "weights/PRESET)",
        WHAT,
        ANY_JOB,
        metavar="DIR",
    )
    weights: list[str] | None = setting(
        None,
        "color with the weights in this folder; with --evaluate, compare the weights in several "
        "folders (default: the pretrained weights of --model)",
        WHAT,
        USING_WEIGHTS,
        nargs="+",
        action="extend",
        metavar="DIR",
    )
    pretrained: str | None = setting(
        None,
        "start a new training from the weights in this folder, for example to fine-tune them on "
        "other images (default: with a preset that starts from another, the weights of that one)",
        WHAT,
        metavar="DIR",
    )
    log_dir: str | None = setting(
        None,
        "folder of the TensorBoard logs (default: logs/MODEL/TIME or logs/PRESET/TIME, or "
        "logs/evaluation/TIME)",
        WHAT,
        OPENING_DATASETS,
        metavar="DIR",
    )
    seed: int = setting(
        0,
        "seed of the initial weights, the split, the order of the images and the augmentation",
        WHAT,
        OPENING_DATASETS,
        type=seed,
        metavar="N",
    )
    deterministic: bool = setting(
        False,
        "bitwise identical results in every run on one machine, at some cost in speed",
        WHAT,
        action=Switch,
    )
    strategy: str = setting(
        "auto",
        "devices to train on: `none` is one device; `mirrored`, all GPUs of this machine; "
        "`multiworker`, those of all machines in TF_CONFIG; `auto`, all that are available",
        WHAT,
        choices=("auto", "none", "mirrored", "multiworker"),
    )
    # bfloat16 doubles the speed where the hardware supports it; elsewhere its emulation is slow.
    precision: str = setting(
        "auto",
        "precision of the networks; auto is float32 with --evaluate, otherwise bfloat16 where the "
        "CPU or GPU supports it natively, else float32",
        WHAT,
        ANY_JOB,
        choices=("auto", "float32", "mixed_bfloat16"),
    )

    # --- data
    dataset: list[str] = setting(
        ("demo",),
        "one or more datasets, which are joined: a folder of images (searched recursively; "
        "subfolders train/ and validation/ are the split), `demo` (the photographs that "
        "scikit-image installs), `tiny-imagenet:DIR`, `imagenet64:DIR` (the downsampled ImageNet), "
        "`coco:DIR` (or any annotations in its format), `tfds:NAME` (any images of TensorFlow "
        "Datasets)",
        DATA,
        OPENING_DATASETS,
        nargs="+",
        action="extend",
        metavar="NAME",
    )
    dataset_weights: list[float] | None = setting(
        None,
        "how often each --dataset is drawn for training, relative to the others: one number for "
        "each, in their order, as in --dataset_weights 3 1 (default: in proportion to their "
        "numbers of images)",
        DATA,
        nargs="+",
        action="extend",
        type=positive,
        metavar="WEIGHT",
    )
    categories: list[str] | None = setting(
        None,
        "from COCO, use only images with at least one object of these categories or "
        "supercategories, as in --categories cat dog vehicle",
        DATA,
        OPENING_DATASETS,
        nargs="+",
        action="extend",
        metavar="NAME",
    )
    data_dir: str | None = setting(
        None,
        "folder where TensorFlow Datasets stores its downloads (default: ~/tensorflow_datasets)",
        DATA,
        OPENING_DATASETS,
        type=os.path.expanduser,
        metavar="DIR",
    )
    class_index: str | None = setting(
        None,
        "list of ImageNet's classes, a file like Keras' imagenet_class_index.json (default: the "
        "one in Keras' cache, or the list in TensorFlow Datasets)",
        DATA,
        metavar="PATH",
    )
    max_images: int | None = setting(
        None,
        "use at most this many images",
        DATA,
        OPENING_DATASETS,
        aliases=("max_pictures",),
        type=positive_int,
        metavar="N",
    )
    # 50 of a thousand images: enough to see a trend, and training loses only a few.
    validation_share: float = setting(
        0.05,
        "share of the images to hold out for validation, where the dataset has no split; "
        "without this option, --evaluate uses all images that the weights were not trained on",
        DATA,
        OPENING_DATASETS,
        type=share,
        metavar="SHARE",
    )
    # The largest side that one small GPU, or a patient CPU, can train on overnight.
    resolution: int = setting(
        128,
        "side of the training and validation images, at least 16",
        DATA,
        OPENING_DATASETS,
        type=side,
        metavar="PIXELS",
    )
    # SAGAN's 256 needs several GPUs; pix2pix and its relatives are trained with 1 to 16.
    batch_size: int = setting(
        16,
        "images in a training step; for other jobs, images in a forward pass",
        DATA,
        ANY_JOB,
        type=positive_int,
        metavar="N",
    )
    validation_batch_size: int | None = setting(
        None,
        "images in a validation batch (default: --batch_size)",
        DATA,
        type=positive_int,
        metavar="N",
    )
    steps_per_epoch: int | None = setting(
        None,
        "training steps in an epoch (default: one pass over the images; 50 for demo)",
        DATA,
        type=positive_int,
        metavar="N",
    )
    validation_steps: int | None = setting(
        None, "batches in a validation (default: all)", DATA, type=positive_int, metavar="N"
    )
    # Enough variety, while a crop still shows the scene: the network colors what it recognizes.
    crop_scale: float = setting(
        0.5,
        "smallest area of a random crop, as a share of the largest square in the image",
        DATA,
        type=scale,
        metavar="SHARE",
    )
    flip: bool = setting(
        True,
        "mirror half of the training images, or none (default: --flip)",
        DATA,
        action=Switch,
    )
    rotation: float = setting(
        0.0,
        "largest random rotation of the training images; their borders are reflected",
        DATA,
        type=not_negative,
        metavar="DEGREES",
    )
    # Train on the true colors.
    target_saturation: float = setting(
        1.0,
        "multiply the colors to train on by this factor, within the sRGB gamut; validation "
        "compares with the true colors",
        DATA,
        type=positive,
        metavar="FACTOR",
    )
    # JPEG's rounding gives gray images a value of up to about 1; 15 is "slightly colorful".
    minimum_colorfulness: float = setting(
        2.0,
        "skip images below this colorfulness (Hasler and Suesstrunk)",
        DATA,
        OPENING_DATASETS,
        type=not_negative,
        metavar="NUMBER",
    )
    cache: str = setting(
        "none",
        "where to cache the decoded images, at training size: `none`, `memory`, or a folder",
        DATA,
        metavar="{none,memory,DIR}",
    )

    # --- networks
    # Half of the U-Net's 64: 7.8 M parameters and a quarter of the computation.
    filters: int = setting(
        32,
        "channels of the generator at full size (at half size with pix2pix and encoder_decoder, "
        "at a quarter with chromagan)",
        NETWORKS,
        type=positive_int,
        metavar="N",
    )
    discriminator_filters: int | None = setting(
        None,
        "channels of the discriminator's first convolution (default: 32; 64 for patch and pixel, "
        "16 for conv4)",
        NETWORKS,
        type=positive_int,
        metavar="N",
    )
    depth: int | None = setting(
        None,
        "how many times the networks halve the size; a pretrained encoder has its own depth "
        "(default: 4; with pix2pix, as often as --resolution can be halved)",
        NETWORKS,
        aliases=("num_downs",),
        type=positive_int,
        metavar="N",
    )
    # In table 1 of the SAGAN paper, attention on 32x32 features gives the best scores.
    attention_resolution: int = setting(
        32,
        "apply self-attention to the features whose size is nearest to this",
        NETWORKS,
        type=positive_int,
        metavar="PIXELS",
    )
    # With 2, as in the code of SAGAN's authors, there are a quarter of the products.
    attention_pool: int = setting(
        1,
        "let self-attention attend to the maxima of N x N positions",
        NETWORKS,
        type=int,
        choices=(1, 2),
    )
    color_stride: int = setting(
        1,
        "predict one color for each N x N pixels; colors are upsampled along the lightness anyway, "
        "and fewer of them are faster",
        NETWORKS,
        type=int,
        choices=(1, 2, 4),
    )
    norm: str = setting(
        "batch",
        "normalization in the generator, and in pix2pix's patch and pixel discriminators",
        NETWORKS,
        choices=("batch", "instance", "none"),
    )
    encoder: str = setting(
        "none",
        "pretrained network to use as the generator's encoder path",
        NETWORKS,
        choices=("none", *ENCODERS),
    )
    encoder_weights: str = setting(
        "imagenet",
        "weights of the encoder: `imagenet` (Keras' cache, or downloaded), `none`, or a file",
        NETWORKS,
        metavar="{imagenet,none,PATH}",
    )
    skip_connections: bool = setting(
        False,
        "concatenate encoder and decoder features of the same size, as in a U-Net",
        NETWORKS,
    )
    decoder_attention: bool = setting(
        False, "apply self-attention in the decoder, at --attention_resolution", NETWORKS
    )
    # The paper's choice. `pool` accepts images of any size and trains a quarter of the weights.
    global_features: str = setting(
        "flatten",
        "input of the dense layers: `flatten`, the features of all positions, for images of the "
        "training size only; `pool`, their mean over all positions, for images of any size",
        NETWORKS,
        choices=("flatten", "pool"),
    )
    input_channels: int = setting(
        1,
        "input channels of the generator, 1 or 3; with 3 the lightness is repeated",
        NETWORKS,
        type=int,
        choices=(1, 3),
    )
    discriminator: str = setting(
        "patch",
        "discriminator of patches of 70 pixels (patch), single pixels (pixel) or images (conv4)",
        NETWORKS,
        choices=("patch", "pixel", "conv4"),
    )

    # --- objective
    adversarial: str = setting(
        "hinge",
        "adversarial loss, or `none` for no discriminator; hinge is SAGAN's",
        OBJECTIVE,
        choices=("none", "vanilla", "lsgan", "hinge", "wgan-gp"),
    )
    # With this weight the gradients of the adversarial loss are about as large as those of the
    # reconstruction loss. pix2pix's 1 to 100 is for ab in [-1, 1] and the mean logits of a
    # PatchGAN; SAGAN's logits are sums over positions.
    adversarial_weight: float = setting(
        0.1,
        "weight of the generator's adversarial loss",
        OBJECTIVE,
        type=not_negative,
        metavar="WEIGHT",
    )
    # The value of Gulrajani et al. 2017.
    gp_weight: float = setting(
        10.0,
        "weight of the gradient penalty (wgan-gp only)",
        OBJECTIVE,
        type=not_negative,
        metavar="WEIGHT",
    )
    # Salimans et al. 2016 label real images 0.9.
    label_smoothing: float = setting(
        0.1,
        "label real images 1 - SHARE (vanilla only)",
        OBJECTIVE,
        type=share,
        metavar="SHARE",
    )
    # A gray image costs about 0.09 in L1 and 0.2 in the perceptual term: with these weights the
    # true ab counts four times as much as natural features.
    reconstruction: list[str] = setting(
        ("l1:10", "perceptual:1"),
        "terms that compare with the true colors, with their weights (colorfulness compares with "
        f"nothing and rewards more color): {', '.join(TERMS)}",
        OBJECTIVE,
        nargs="+",
        action="extend",
        type=term,
        metavar="TERM:WEIGHT",
    )
    # The colorizers of the papers weight all pixels the same.
    color_rebalancing: float = setting(
        0.0,
        f"weight pixels of rare colors more in {', '.join(sorted(REBALANCED))}: 0, all pixels the "
        "same; 0.5, as in Zhang et al. 2016; 1, all colors of the training images the same",
        OBJECTIVE,
        type=proportion,
        metavar="SHARE",
    )
    perceptual_weights: str | None = setting(
        None,
        "VGG19's weights for the perceptual term, .h5 of Keras or .npz (default: Keras' cache, or "
        "downloaded)",
        OBJECTIVE,
        metavar="PATH",
    )

    # The weight and the teacher of Vitoria et al. 2020.
    class_weight: float = setting(
        0.003,
        "weight of the divergence from the teacher's class distribution; 0 for no class head",
        OBJECTIVE,
        type=not_negative,
        metavar="WEIGHT",
    )
    teacher: str = setting(
        "vgg16",
        "classifier of the gray image whose class distribution is a training target: any network "
        "of keras.applications, such as mobilenet_v2",
        OBJECTIVE,
        metavar="NAME",
    )
    teacher_weights: str | None = setting(
        None,
        "weights of the teacher, a file for the whole network (default: ImageNet's, from Keras' "
        "cache or downloaded)",
        OBJECTIVE,
        metavar="PATH",
    )
    teacher_cache: str | None = setting(
        None,
        "save the teacher's class distributions for the central squares of the images in this "
        "folder, instead of running the teacher on every crop in every step",
        OBJECTIVE,
        metavar="DIR",
    )

    # --- schedule
    # Long: training can be stopped at any time, and the weights so far can be used.
    epochs: int = setting(50, "number of epochs in total", SCHEDULE, type=positive_int, metavar="N")
    generator_epochs: int = setting(
        0,
        "train the generator alone for the first N epochs (NoGAN)",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    discriminator_epochs: int = setting(
        0,
        "then train the discriminator alone for N epochs",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    discriminator_steps: int = setting(
        1,
        "discriminator steps per generator step, when both are trained",
        SCHEDULE,
        type=positive_int,
        metavar="N",
    )
    # Both rates and both betas are SAGAN's (two time-scale update rule).
    generator_lr: float = setting(
        1e-4, "learning rate of the generator", SCHEDULE, type=positive, metavar="RATE"
    )
    discriminator_lr: float = setting(
        4e-4, "learning rate of the discriminator", SCHEDULE, type=positive, metavar="RATE"
    )
    generator_lr_alone: float | None = setting(
        None,
        "learning rate of the generator while it is trained alone (default: --generator_lr)",
        SCHEDULE,
        type=positive,
        metavar="RATE",
    )
    discriminator_lr_alone: float | None = setting(
        None,
        "learning rate of the discriminator while it is trained alone (default: "
        "--discriminator_lr)",
        SCHEDULE,
        type=positive,
        metavar="RATE",
    )
    lr_schedule: str = setting(
        "constant",
        "schedule of both learning rates: plateau lowers them when the validation loss (without "
        "validation, the training loss) stops falling while the generator is trained alone; cosine "
        "lowers them to 0 along half a cosine wave; linear keeps them for half of the epochs and "
        "then lowers them to 0",
        SCHEDULE,
        choices=("constant", "plateau", "cosine", "linear"),
    )
    # The patience of the report on the InceptionResNetV2 colorizer, and Keras' factor.
    plateau_patience: int = setting(
        3,
        "epochs without a lower loss before the rates are lowered (plateau only)",
        SCHEDULE,
        type=positive_int,
        metavar="N",
    )
    plateau_factor: float = setting(
        0.1,
        "factor by which the rates are then multiplied (plateau only)",
        SCHEDULE,
        type=proper_fraction,
        metavar="FACTOR",
    )
    warmup_steps: int = setting(
        0,
        "raise the rates linearly from 0 in the first N steps of the training",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    freeze_encoder_epochs: int = setting(
        0,
        "freeze the encoder for the first N epochs, so that the decoder is trained first",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    optimizer: str = setting(
        "adam",
        "Keras optimizer of both networks; lion needs a third to a tenth of Adam's rates",
        SCHEDULE,
        choices=("adam", "adamw", "sgd", "lion"),
    )
    weight_decay: float | None = setting(
        None,
        "weight decay, except for biases and normalizations (default: 0.004 with adamw, else none)",
        SCHEDULE,
        type=not_negative,
        metavar="RATE",
    )
    beta_1: float = setting(
        0.0, "beta_1 of Adam and Lion; momentum of SGD", SCHEDULE, type=share, metavar="DECAY"
    )
    beta_2: float = setting(0.9, "beta_2 of Adam and Lion", SCHEDULE, type=share, metavar="DECAY")
    # An average of about the last thousand steps; usual for GANs (Karras et al. 2018).
    ema_decay: float = setting(
        0.999,
        "decay of the EMA generator, the moving average that colors; 0 for no average",
        SCHEDULE,
        type=share,
        metavar="DECAY",
    )

    nan: str = setting(
        "stop",
        "what to do when losses or gradients are NaN or infinite: stop ends the training, skip "
        "undoes the step and continues with the next batch",
        SCHEDULE,
        choices=("stop", "skip"),
    )
    # A few nonfinite steps do no harm; many mean that the training diverges.
    nan_limit: int = setting(
        10, "steps that may be skipped before the training ends", SCHEDULE, type=count, metavar="N"
    )

    # --- records
    # About one point a minute on a slow machine.
    log_every: int = setting(
        50, "write the losses to TensorBoard every N steps", RECORDS, type=positive_int, metavar="N"
    )
    checkpoint_steps: int | None = setting(
        None,
        "also write a checkpoint every N steps, not only after each epoch",
        RECORDS,
        aliases=("snapshot_steps",),
        type=positive_int,
        metavar="N",
    )
    # If the last one is damaged, the one before it can be used.
    keep: int = setting(2, "checkpoints to keep", RECORDS, type=positive_int, metavar="N")
    sample_every: int = setting(
        1, "write sample grids every N epochs; 0 for never", RECORDS, type=count, metavar="N"
    )
    # As many as TensorBoard shows on a screen.
    sample_count: int = setting(
        8,
        "images in a sample grid and on the sheet of --evaluate",
        RECORDS,
        OPENING_DATASETS,
        type=positive_int,
        metavar="N",
    )
    sample_images: str | None = setting(
        None,
        "folder of photographs without true colors to show in the sample grids as well",
        RECORDS,
        metavar="DIR",
    )

    validation_metrics: list[str] = setting(
        ("psnr", "colorfulness"),
        "metrics of the validation images after every epoch, besides the losses: psnr, ssim, "
        "colorfulness (also of the true images), lpips",
        RECORDS,
        nargs="+",
        action="extend",
        choices=("psnr", "ssim", "colorfulness", "lpips"),
    )
    lpips_weights: str | None = setting(
        None,
        "LPIPS weights for --evaluate, --validation_metrics and --reconstruction, an .npz "
        "(default: Keras' cache, or downloaded)",
        RECORDS,
        OPENING_DATASETS,
        metavar="PATH",
    )

    # --- coloring
    output_dir: str = setting(
        "results",
        "folder for the colored photographs, and for the sheets of --inspect and --evaluate",
        COLORING,
        USING_WEIGHTS | INSPECTING,
        metavar="DIR",
    )
    render_size: int | None = setting(
        None,
        "side of the square to which a photograph is resized for the network, at least 16; larger "
        "is more detailed and slower, and too large turns gray (default: saved with the weights)",
        COLORING,
        USING_WEIGHTS,
        type=side,
        metavar="PIXELS",
    )
    format: str | None = setting(
        None,
        "output format (default: that of the photograph if it can hold color, otherwise png)",
        COLORING,
        COLORIZING,
        choices=("jpg", "png", "tif", "webp", "bmp", "heic"),
    )
    # At this quality JPEG changes lightness little more than rounding to 8 bits does.
    quality: int = setting(
        95,
        "quality of JPEG, lossy WebP and HEIC, 1 to 100",
        COLORING,
        COLORIZING,
        type=percent,
        metavar="N",
    )
    suffix: str = setting(
        "",
        "append this to the names of colored photographs, as in --suffix _colored (default: none)",
        COLORING,
        COLORIZING,
        type=name_part,
        metavar="TEXT",
    )
    overwrite: bool = setting(
        False,
        "color photographs again whose results are already in --output_dir",
        COLORING,
        COLORIZING,
    )
    shard: tuple[int, int] | None = setting(
        None,
        "color only part I of N, the same photographs in every call: N machines, each with its own "
        "I, can share a folder",
        COLORING,
        COLORIZING,
        type=part_of,
        metavar="I/N",
    )
    comparison: bool = setting(
        False,
        "also write gray and colored side by side, as NAME_comparison",
        COLORING,
        COLORIZING,
    )
    saturation: float = setting(
        1.0,
        "multiply all colors by this factor",
        COLORING,
        USING_WEIGHTS,
        type=not_negative,
        metavar="FACTOR",
    )
    flip_average: bool = setting(
        False,
        "also color the mirrored photograph and average: calmer colors, twice the network's time",
        COLORING,
        USING_WEIGHTS,
    )
    quiet: bool = setting(False, "print only what went wrong", COLORING, COLORIZING)

    # --- evaluation
    predictions: list[str] | None = setting(
        None,
        "also evaluate the results of other programs on the same images: folders of colored "
        "images, matched by name",
        EVALUATION,
        EVALUATING,
        nargs="+",
        action="extend",
        metavar="DIR",
    )
    feature_network: str | None = setting(
        None,
        "network for FID, KID and the Inception Score: InceptionV3's weights, an .h5 of Keras, or "
        "any feature network as .keras (default: InceptionV3 from Keras' cache, or downloaded)",
        EVALUATION,
        EVALUATING,
        metavar="PATH",
    )
    # The empty string means that the option was given without a path.
    csv: str | None = setting(
        None,
        "also write the numbers as CSV; without PATH, to evaluation.csv in --output_dir",
        EVALUATION,
        EVALUATING,
        nargs="?",
        const="",
        metavar="PATH",
    )
    json: str | None = setting(
        None,
        "also write the numbers as JSON; without PATH, to evaluation.json in --output_dir",
        EVALUATION,
        EVALUATING,
        nargs="?",
        const="",
        metavar="PATH",
    )

    @property
    def job(self) -> str:
        """The job to run: `evaluate`, `colorize`, `inspect` or `train`."""
        return next((job for job, name in JOBS.items() if getattr(self, name)), "train")

    @property
    def network_depth(self) -> int:
        """How many times it must be possible to halve an image; an encoder has its own depth."""
        if self.model == "encoder_decoder":
            # It accepts images of any size.
            return 0
        if self.model == "chromagan":
            return CHROMAGAN_DEPTH
        if self.encoder != "none":
            return self.encoder_depth
        halvings = self.resolution.bit_length() - 1
        return self.depth or (halvings if self.model == "pix2pix" else 4)

    @property
    def encoder_depth(self) -> int:
        """How many times the encoder halves the size."""
        return len(ENCODERS[self.encoder].levels)

    @property
    def first_discriminator_filters(self) -> int:
        """Channels of the discriminator's first convolution."""
        kind = {"sagan": "vgg", "pix2pix": self.discriminator}.get(self.model, "patch")
        return self.discriminator_filters or DISCRIMINATOR_FILTERS[kind]

    @property
    def weights_folder(self) -> Path:
        """The folder where this training saves its weights."""
        return Path(self.weights_dir or os.path.join("weights", self.preset or self.model))

    @property
    def rebalances_colors(self) -> bool:
        """Whether the training loss weights pixels of rare colors more."""
        weights = self.reconstruction_weights
        return bool(self.color_rebalancing and any(weights.get(term) for term in REBALANCED))

    @property
    def reconstruction_weights(self) -> dict[str, float]:
        """The terms of the reconstruction loss with their weights."""
        pairs = (text.split(":") for text in self.reconstruction)
        return {name: float(weight) for name, weight in pairs}


def fields(group: str | None = None) -> list[dataclasses.Field]:
    """The fields of `Settings`, all of them or those under one heading."""
    return [f for f in dataclasses.fields(Settings) if group in (None, f.metadata["group"])]
