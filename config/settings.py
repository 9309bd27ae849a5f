"""Every setting of the program: its meaning, its default and why, and how it stands on the line.

One flat, typed object holds them all. The command line, `--help` and `settings.json` are made from
it, so that a setting is written down once. TensorFlow is not imported here: `--help` answers at
once.
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

# ChromaGAN cuts its encoder off where the size was halved as often.
CHROMAGAN_DEPTH = 3

# What the weights of a training fix for good.
SHAPES = (
    "model",
    "filters",
    "discriminator_filters",
    "depth",
    "attention_resolution",
    "norm",
    "encoder",
    "skip_connections",
    "decoder_attention",
    "global_features",
    "input_channels",
    "discriminator",
)

# What not every model has. ChromaGAN's generator is that of its paper's figure, without skips or
# attention.
OF_MODELS = {
    "attention_resolution": ("sagan", "pix2pix", "encoder_decoder"),
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

# Channels of a discriminator at the beginning, those of the papers; SAGAN's is as wide as its
# generator.
DISCRIMINATOR_FILTERS = {"vgg": 32, "patch": 64, "pixel": 64, "conv4": 16}

# Settings that hold paths, or names in place of one.
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

# What is asked of datasets of one kind.
OF_DATASETS = ("categories", "data_dir")

# What chooses the images.
OF_IMAGES = frozenset({"categories", "dataset", "max_images", "minimum_colorfulness"})

# Headings of `--help`, in its order.
WHAT = "what to do"
DATA = "data"
NETWORKS = "networks"
OBJECTIVE = "objective"
SCHEDULE = "schedule"
RECORDS = "records"
COLORING = "coloring"
EVALUATION = "evaluation"

# The argument that asks for a job; training is what is done without one.
# `--evaluate --images` judges photographs: it stands before `--images`.
JOBS = {"evaluate": "evaluate", "colorize": "images", "inspect": "inspect"}

# The settings that only some jobs read. What would be trained may be inspected: a person adds one
# word to the line.
INSPECTING = frozenset({"inspect"})
EVALUATING = frozenset({"evaluate"})
TRAINING = frozenset({"train", "inspect"})
COLORING_IN_ANY_WAY = frozenset({"colorize", "evaluate"})
RESUMING = frozenset({"train"}) | COLORING_IN_ANY_WAY
COLORIZING = frozenset({"colorize"})
OPENING_DATASETS = TRAINING | EVALUATING
ANY_JOB = TRAINING | COLORING_IN_ANY_WAY


def setting(
    default: Any,
    help: str,
    group: str,
    jobs: frozenset = TRAINING,
    aliases: tuple[str, ...] = (),
    **options,
) -> Any:
    """A field of `Settings` with what the command line needs to know of it.

    Args:
        default: the value when nothing is given.
        help: one sentence for `--help`.
        group: the heading it stands under.
        jobs: the jobs that read it.
        aliases: other names of the argument.
        **options: those of `ArgumentParser.add_argument`.
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
    """All settings of a job, flat. The comments say why a default is what it is."""

    # --- what to do
    load_weights: bool = setting(
        False,
        "go on with the training in --weights_dir from its last checkpoint; with --images or "
        "--evaluate, color with the weights of that training",
        WHAT,
        RESUMING,
    )
    images: list[str] | None = setting(
        None,
        "color these photographs: files, folders (searched deep), or `demo`; with --evaluate, "
        "judge by them without truth",
        WHAT,
        COLORING_IN_ANY_WAY,
        nargs="+",
        action="extend",
        metavar="PATH",
    )
    evaluate: bool = setting(
        False,
        "judge weights (and what other programs colored) by the validation images of --dataset: "
        "a table of metrics, and a sheet of images (evaluation.png in --output_dir)",
        WHAT,
        EVALUATING,
    )
    inspect: bool = setting(
        False,
        "show what training would see: the datasets, a sheet of images (inspect.png in "
        "--output_dir), how colorful they are and how fast they come",
        WHAT,
        INSPECTING,
    )
    model: str = setting("sagan", "the colorizer", WHAT, ANY_JOB, type=model_name, choices=MODELS)
    preset: str | None = setting(
        None,
        "settings of an experiment, each of which may be given besides: "
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
        "where training keeps its weights and checkpoints (default: weights/MODEL, or "
        "weights/PRESET)",
        WHAT,
        ANY_JOB,
        metavar="DIR",
    )
    weights: list[str] | None = setting(
        None,
        "color with the weights in this folder, with --evaluate with those in each of several "
        "(default: those of --model that ship)",
        WHAT,
        COLORING_IN_ANY_WAY,
        nargs="+",
        action="extend",
        metavar="DIR",
    )
    pretrained: str | None = setting(
        None,
        "start a new training from the weights in this folder, trained on other images "
        "(default: of a preset that goes on from another, the weights of that)",
        WHAT,
        metavar="DIR",
    )
    log_dir: str | None = setting(
        None,
        "TensorBoard's records (default: logs/MODEL/TIME or logs/PRESET/TIME, or "
        "logs/evaluation/TIME)",
        WHAT,
        OPENING_DATASETS,
        metavar="DIR",
    )
    seed: int = setting(
        0,
        "of the first weights, the split, the order and the augmentation",
        WHAT,
        OPENING_DATASETS,
        type=seed,
        metavar="N",
    )
    deterministic: bool = setting(
        False,
        "the same numbers to the last bit in every run on one machine, at some speed",
        WHAT,
        action=Switch,
    )
    strategy: str = setting(
        "auto",
        "which devices learn together: `none`, one; `mirrored`, all GPUs of this machine; "
        "`multiworker`, those of all machines that TF_CONFIG names; auto is all there are",
        WHAT,
        choices=("auto", "none", "mirrored", "multiworker"),
    )
    # bfloat16 doubles the speed where the hardware computes it; elsewhere it is emulated, slowly.
    precision: str = setting(
        "auto",
        "of the networks; auto is bfloat16 where the processor or GPU computes it natively, and "
        "float32 with --evaluate",
        WHAT,
        ANY_JOB,
        choices=("auto", "float32", "mixed_bfloat16"),
    )

    # --- data
    dataset: list[str] = setting(
        ("demo",),
        "one or more, joined, of: a folder of images (searched deep; with train/ and validation/ "
        "in it, they are the split), `demo` (the photographs that scikit-image installs), "
        "`tiny-imagenet:DIR`, `imagenet64:DIR` (the downsampled ImageNet), `coco:DIR` (or any "
        "annotations in its format), `tfds:NAME` (any images of TensorFlow Datasets)",
        DATA,
        OPENING_DATASETS,
        nargs="+",
        action="extend",
        metavar="NAME",
    )
    categories: list[str] | None = setting(
        None,
        "of COCO, images with at least one object of these categories or supercategories, as in "
        "--categories cat dog vehicle",
        DATA,
        OPENING_DATASETS,
        nargs="+",
        action="extend",
        metavar="NAME",
    )
    data_dir: str | None = setting(
        None,
        "where TensorFlow Datasets downloads and keeps its own (default: ~/tensorflow_datasets)",
        DATA,
        OPENING_DATASETS,
        type=os.path.expanduser,
        metavar="DIR",
    )
    class_index: str | None = setting(
        None,
        "ImageNet's classes, a file like Keras' imagenet_class_index.json (default: Keras' cache, "
        "or the list in TensorFlow Datasets)",
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
    # Of a thousand images 50: enough to see a trend, and few are missing from the training.
    validation_share: float = setting(
        0.05,
        "share of the images to judge by, where the dataset does not say; --evaluate takes all "
        "that the weights did not learn from, unless this is given",
        DATA,
        OPENING_DATASETS,
        type=share,
        metavar="SHARE",
    )
    # 128 is the largest that one small GPU, or a patient CPU, trains in a night.
    resolution: int = setting(
        128,
        "side of the images that are trained on or judged by, at least 16",
        DATA,
        OPENING_DATASETS,
        type=side,
        metavar="PIXELS",
    )
    # SAGAN's 256 takes several GPUs; pix2pix and its kin color with 1 to 16.
    batch_size: int = setting(
        16,
        "images in a step; without training, images that the network sees at once",
        DATA,
        ANY_JOB,
        type=positive_int,
        metavar="N",
    )
    validation_batch_size: int | None = setting(
        None,
        "the same for validation (default: --batch_size)",
        DATA,
        type=positive_int,
        metavar="N",
    )
    steps_per_epoch: int | None = setting(
        None,
        "steps in an epoch (default: the whole set once; 50 for demo)",
        DATA,
        type=positive_int,
        metavar="N",
    )
    validation_steps: int | None = setting(
        None, "batches of a validation (default: all)", DATA, type=positive_int, metavar="N"
    )
    # Enough variety to crop, and still the whole scene: colors are told by what things are.
    crop_scale: float = setting(
        0.5,
        "smallest share of the image's largest square that a random crop takes",
        DATA,
        type=scale,
        metavar="SHARE",
    )
    flip: bool = setting(
        True,
        "mirror half of the images, or none (default: --flip)",
        DATA,
        action=Switch,
    )
    rotation: float = setting(
        0.0,
        "largest random rotation, borders reflected",
        DATA,
        type=not_negative,
        metavar="DEGREES",
    )
    # The truth as it is.
    target_saturation: float = setting(
        1.0,
        "factor of the colors that are learned from, within what sRGB can show; validation "
        "compares with the true ones",
        DATA,
        type=positive,
        metavar="FACTOR",
    )
    # JPEG's rounding gives a gray image up to about 1; people call 15 "slightly colorful".
    minimum_colorfulness: float = setting(
        2.0,
        "leave out images below this colorfulness (Hasler and Suesstrunk)",
        DATA,
        OPENING_DATASETS,
        type=not_negative,
        metavar="NUMBER",
    )
    cache: str = setting(
        "none",
        "keep decoded images at training size: `none`, `memory`, or a folder",
        DATA,
        metavar="{none,memory,DIR}",
    )

    # --- networks
    # Half of U-Net's 64: 7.8 M parameters, a quarter of the work.
    filters: int = setting(
        32,
        "channels of the generator at full size, with pix2pix and encoder_decoder at half size, "
        "with chromagan at a quarter",
        NETWORKS,
        type=positive_int,
        metavar="N",
    )
    discriminator_filters: int | None = setting(
        None,
        "channels of the discriminator's first convolution (default: 32; of patch and pixel 64, of "
        "conv4 16)",
        NETWORKS,
        type=positive_int,
        metavar="N",
    )
    depth: int | None = setting(
        None,
        "how many times the networks halve the size; a pretrained encoder has its own depth "
        "(default: 4; with pix2pix as many times as --resolution can be halved)",
        NETWORKS,
        aliases=("num_downs",),
        type=positive_int,
        metavar="N",
    )
    # SAGAN's table 1: attention on 32x32 features gives the best scores.
    attention_resolution: int = setting(
        32,
        "self-attention stands at the level whose size is nearest to this",
        NETWORKS,
        type=positive_int,
        metavar="PIXELS",
    )
    norm: str = setting(
        "batch",
        "normalization in the generator; with pix2pix also in its discriminators but conv4",
        NETWORKS,
        choices=("batch", "instance", "none"),
    )
    encoder: str = setting(
        "none",
        "a pretrained network in place of the generator's encoder path",
        NETWORKS,
        choices=("none", *ENCODERS),
    )
    encoder_weights: str = setting(
        "imagenet",
        "of the encoder: `imagenet` (Keras' cache, or downloaded), `none`, or a file",
        NETWORKS,
        metavar="{imagenet,none,PATH}",
    )
    skip_connections: bool = setting(
        False, "join the encoder's features to the decoder's of the same size, as a U-Net", NETWORKS
    )
    decoder_attention: bool = setting(
        False, "self-attention in the decoder, at --attention_resolution", NETWORKS
    )
    # The paper's; `pool` takes images of any size and has a quarter of the weights in training.
    global_features: str = setting(
        "flatten",
        "what the dense layers see of the whole image: `flatten`, every place, for images of "
        "the size of training alone; `pool`, the mean of all places, for images of any size",
        NETWORKS,
        choices=("flatten", "pool"),
    )
    input_channels: int = setting(
        1,
        "how often the generator is given the lightness, 1 or 3",
        NETWORKS,
        type=int,
        choices=(1, 3),
    )
    discriminator: str = setting(
        "patch",
        "what judges: patches of 70 pixels, single pixels, or whole images by four convolutions",
        NETWORKS,
        choices=("patch", "pixel", "conv4"),
    )

    # --- objective
    adversarial: str = setting(
        "hinge",
        "the loss of the two networks against each other; hinge is SAGAN's",
        OBJECTIVE,
        choices=("none", "vanilla", "lsgan", "hinge", "wgan-gp"),
    )
    # The adversary's gradient is then about as large as that of the reconstruction: pix2pix's 1
    # against 100 is for ab in [-1, 1] and a PatchGAN of mean logits, ours are sums.
    adversarial_weight: float = setting(
        0.1, "of the generator's adversarial loss", OBJECTIVE, type=not_negative, metavar="WEIGHT"
    )
    # That of Gulrajani et al. 2017.
    gp_weight: float = setting(
        10.0, "of the gradient penalty (wgan-gp only)", OBJECTIVE, type=not_negative, metavar="W"
    )
    # Salimans et al. 2016 label real images 0.9.
    label_smoothing: float = setting(
        0.1,
        "real images are labeled 1 - this (vanilla only)",
        OBJECTIVE,
        type=share,
        metavar="SHARE",
    )
    # A gray image costs about 0.09 in L1 and 0.2 in the perceptual term: weighed so, the true
    # ab counts four times as much as how natural the features are.
    reconstruction: list[str] = setting(
        ("l1:10", "perceptual:1"),
        "terms that compare with the true colors, with their weights (colorfulness compares with "
        f"nothing, and asks for more color): {', '.join(TERMS)}",
        OBJECTIVE,
        nargs="+",
        action="extend",
        type=term,
        metavar="TERM:WEIGHT",
    )
    # The papers' colorizers weigh all pixels the same.
    color_rebalancing: float = setting(
        0.0,
        f"weigh pixels of rare colors more in {', '.join(sorted(REBALANCED))}: 0, all the same; "
        "0.5 as Zhang et al. 2016; 1, each color of the training images as much as any other",
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

    # Weight and teacher are those of Vitoria et al. 2020.
    class_weight: float = setting(
        0.003,
        "of the divergence of the class distribution from the teacher's; 0 for no classes",
        OBJECTIVE,
        type=not_negative,
        metavar="WEIGHT",
    )
    teacher: str = setting(
        "vgg16",
        "the classifier whose distribution on the gray image is learned: any network of "
        "keras.applications, as mobilenet_v2",
        OBJECTIVE,
        metavar="NAME",
    )
    teacher_weights: str | None = setting(
        None,
        "the teacher's weights, a file of the whole network (default: ImageNet's, from Keras' "
        "cache or downloaded)",
        OBJECTIVE,
        metavar="PATH",
    )
    teacher_cache: str | None = setting(
        None,
        "keep in this folder what the teacher sees in the central square of each image, instead "
        "of asking it for each crop in every step",
        OBJECTIVE,
        metavar="DIR",
    )

    # --- schedule
    # Long; training may be stopped at any time, and weights to color with are there.
    epochs: int = setting(50, "how many epochs in all", SCHEDULE, type=positive_int, metavar="N")
    generator_epochs: int = setting(
        0, "train the generator alone this long first (NoGAN)", SCHEDULE, type=count, metavar="N"
    )
    discriminator_epochs: int = setting(
        0, "train the discriminator alone this long next", SCHEDULE, type=count, metavar="N"
    )
    discriminator_steps: int = setting(
        1,
        "steps of the discriminator for each of the generator, where both are trained",
        SCHEDULE,
        type=positive_int,
        metavar="N",
    )
    # The two rates and both betas are those of SAGAN (two time-scale update rule).
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
        "the same of the discriminator (default: --discriminator_lr)",
        SCHEDULE,
        type=positive,
        metavar="RATE",
    )
    lr_schedule: str = setting(
        "constant",
        "of both rates; plateau lowers them where the validation loss (without validation that of "
        "training) no longer falls while the generator learns alone, cosine lets them fall to 0 in "
        "half a wave, linear is constant for half of the epochs and then falls to 0",
        SCHEDULE,
        choices=("constant", "plateau", "cosine", "linear"),
    )
    # The report's on the InceptionResNetV2 colorizer, and Keras' factor.
    plateau_patience: int = setting(
        3,
        "epochs without a lower loss before the rates are lowered (plateau only)",
        SCHEDULE,
        type=positive_int,
        metavar="N",
    )
    plateau_factor: float = setting(
        0.1,
        "by which the rates are multiplied then (plateau only)",
        SCHEDULE,
        type=proper_fraction,
        metavar="FACTOR",
    )
    warmup_steps: int = setting(
        0,
        "let the rates rise from 0 in the first N steps of the training",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    freeze_encoder_epochs: int = setting(
        0,
        "leave the encoder as it is this long, so that the decoder learns first",
        SCHEDULE,
        type=count,
        metavar="N",
    )
    optimizer: str = setting(
        "adam",
        "of both networks, by Keras; lion wants a third to a tenth of Adam's rates",
        SCHEDULE,
        choices=("adam", "adamw", "sgd", "lion"),
    )
    weight_decay: float | None = setting(
        None,
        "of all but biases and normalizations (default: 0.004 with adamw, else none)",
        SCHEDULE,
        type=not_negative,
        metavar="RATE",
    )
    beta_1: float = setting(
        0.0, "of Adam and Lion; the momentum of SGD", SCHEDULE, type=share, metavar="DECAY"
    )
    beta_2: float = setting(0.9, "of Adam and Lion", SCHEDULE, type=share, metavar="DECAY")
    # The average of the last thousand steps; the usual value for GANs (Karras et al. 2018).
    ema_decay: float = setting(
        0.999,
        "of the moving average of the generator's weights, which colors; 0 for none",
        SCHEDULE,
        type=share,
        metavar="DECAY",
    )

    nan: str = setting(
        "stop",
        "what a step does whose losses or gradients are NaN or infinite: stop ends the training, "
        "skip undoes the step and goes on with the next batch",
        SCHEDULE,
        choices=("stop", "skip"),
    )
    # A training that has a bad batch now and then is sound; one that has many is not.
    nan_limit: int = setting(
        10, "steps that may be skipped before the training ends", SCHEDULE, type=count, metavar="N"
    )

    # --- records
    # A point or so a minute on a slow machine.
    log_every: int = setting(
        50, "write the losses to TensorBoard every N steps", RECORDS, type=positive_int, metavar="N"
    )
    checkpoint_steps: int | None = setting(
        None,
        "write a checkpoint every N steps too, and not after each epoch alone",
        RECORDS,
        aliases=("snapshot_steps",),
        type=positive_int,
        metavar="N",
    )
    # Where the last one is damaged, the one before it is there.
    keep: int = setting(2, "checkpoints that stay", RECORDS, type=positive_int, metavar="N")
    sample_every: int = setting(
        1, "write sample grids every N epochs; 0 for never", RECORDS, type=count, metavar="N"
    )
    # As many as TensorBoard shows on a screen.
    sample_count: int = setting(
        8,
        "images in a sample grid, and on the sheet of --evaluate",
        RECORDS,
        OPENING_DATASETS,
        type=positive_int,
        metavar="N",
    )
    sample_images: str | None = setting(
        None, "a folder of photographs without truth to show as well", RECORDS, metavar="DIR"
    )

    validation_metrics: list[str] = setting(
        ("psnr", "colorfulness"),
        "what is measured on the validation images after every epoch, besides the losses: psnr, "
        "ssim, colorfulness (of the true images too), lpips",
        RECORDS,
        nargs="+",
        action="extend",
        choices=("psnr", "ssim", "colorfulness", "lpips"),
    )
    lpips_weights: str | None = setting(
        None,
        "weights of LPIPS for --evaluate, --validation_metrics and --reconstruction, .npz "
        "(default: Keras' cache, or downloaded)",
        RECORDS,
        OPENING_DATASETS,
        metavar="PATH",
    )

    # --- coloring
    output_dir: str = setting(
        "results",
        "where colored photographs go, and what --inspect and --evaluate draw",
        COLORING,
        COLORING_IN_ANY_WAY | INSPECTING,
        metavar="DIR",
    )
    render_size: int | None = setting(
        None,
        "side of the square, at least 16, as which the network sees a photograph; larger is more "
        "detailed and slower, and too large is gray (default: the weights' own choice)",
        COLORING,
        COLORING_IN_ANY_WAY,
        type=side,
        metavar="PIXELS",
    )
    format: str | None = setting(
        None,
        "write this format (default: that of the photograph where it can hold color, else png)",
        COLORING,
        COLORIZING,
        choices=("jpg", "png", "tif", "webp", "bmp", "heic"),
    )
    # Rounding to 8 bits is then about all that JPEG does to lightness.
    quality: int = setting(
        95,
        "of JPEG, of WebP with loss and of HEIC, 1 to 100",
        COLORING,
        COLORIZING,
        type=percent,
        metavar="N",
    )
    suffix: str = setting(
        "",
        "put this behind the names of colored photographs, as in --suffix _colored (default: none)",
        COLORING,
        COLORIZING,
        type=name_part,
        metavar="TEXT",
    )
    overwrite: bool = setting(
        False, "color again what is in --output_dir already", COLORING, COLORIZING
    )
    shard: tuple[int, int] | None = setting(
        None,
        "color one of N parts alone, the same in every call: N machines, each with another I, "
        "color a folder together",
        COLORING,
        COLORIZING,
        type=part_of,
        metavar="I/N",
    )
    comparison: bool = setting(
        False,
        "write gray and colored side by side besides, as NAME_comparison",
        COLORING,
        COLORIZING,
    )
    saturation: float = setting(
        1.0,
        "factor of all colors",
        COLORING,
        COLORING_IN_ANY_WAY,
        type=not_negative,
        metavar="FACTOR",
    )
    flip_average: bool = setting(
        False,
        "color the mirrored photograph too and average: calmer colors, twice the network's time",
        COLORING,
        COLORING_IN_ANY_WAY,
    )
    quiet: bool = setting(False, "say only what went wrong", COLORING, COLORIZING)

    # --- evaluation
    predictions: list[str] | None = setting(
        None,
        "judge besides what other programs made of the same images: folders of colored "
        "images, found by their names",
        EVALUATION,
        EVALUATING,
        nargs="+",
        action="extend",
        metavar="DIR",
    )
    feature_network: str | None = setting(
        None,
        "what FID, KID and the Inception Score are computed with: InceptionV3's weights, .h5 of "
        "Keras, or any network that gives features, as .keras (default: InceptionV3 from Keras' "
        "cache, or downloaded)",
        EVALUATION,
        EVALUATING,
        metavar="PATH",
    )
    # Without a path the option itself asks for the file: hence the empty string.
    csv: str | None = setting(
        None,
        "write the numbers as CSV besides; without PATH as evaluation.csv in --output_dir",
        EVALUATION,
        EVALUATING,
        nargs="?",
        const="",
        metavar="PATH",
    )
    json: str | None = setting(
        None,
        "write the numbers as JSON besides; without PATH as evaluation.json in --output_dir",
        EVALUATION,
        EVALUATING,
        nargs="?",
        const="",
        metavar="PATH",
    )

    @property
    def job(self) -> str:
        """What is asked for: `evaluate`, `colorize` or `inspect`, else `train`."""
        return next((job for job, name in JOBS.items() if getattr(self, name)), "train")

    @property
    def network_depth(self) -> int:
        """How many times an image has to be halved: an encoder has its own depth."""
        if self.model == "encoder_decoder":
            # It takes images of any size.
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
        """Where this training keeps its weights."""
        return Path(self.weights_dir or os.path.join("weights", self.preset or self.model))

    @property
    def rebalances_colors(self) -> bool:
        """Whether pixels of rare colors weigh more in what is learned."""
        weights = self.reconstruction_weights
        return bool(self.color_rebalancing and any(weights.get(term) for term in REBALANCED))

    @property
    def reconstruction_weights(self) -> dict[str, float]:
        """The terms of the reconstruction loss with their weights."""
        pairs = (text.split(":") for text in self.reconstruction)
        return {name: float(weight) for name, weight in pairs}


def fields(group: str | None = None) -> list[dataclasses.Field]:
    """The fields of `Settings`, of one heading or all."""
    return [f for f in dataclasses.fields(Settings) if group in (None, f.metadata["group"])]
