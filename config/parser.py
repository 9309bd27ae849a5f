"""Parses the command line into settings, or raises an error of one line.

TensorFlow is not imported here, so that `--help` is fast.
"""

import argparse
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from config.argument_types import Switch
from config.presets import MODEL_DEFAULTS, PRESETS, SAGAN_ENCODER_DEFAULTS
from config.settings import JOBS, OF_DATASETS, OF_MODELS, TRAINING, Settings, fields
from data.datasets.dataset_name import COCO, TFDS
from errors import InputError
from losses import REBALANCED

# The smallest sides in pixels for which the convolutions leave an output position.
_SMALLEST_SIDES = {"patch": 24, "conv4": 121}

# The settings of ChromaGAN's teacher.
_TEACHER_SETTINGS = ("teacher", "teacher_weights", "teacher_cache")

# Settings that select datasets or need true colors.
_TRUTH_SETTINGS = (
    *OF_DATASETS,
    "dataset",
    "lpips_weights",
    "minimum_colorfulness",
    "validation_share",
)


def parse(arguments: Sequence[str]) -> tuple[Settings, set[str]]:
    """Parses the command line.

    Args:
        arguments: list of str, without the program's name. Names may be written with hyphens.

    Returns:
        The settings, and the set of the names of the explicit settings.

    Raises:
        InputError: an argument is unknown, malformed, or has no effect on the job.

    Example:
        settings, explicit = parse(["--model", "pix2pix", "--batch-size", "32"])
        settings.job                  # "train"
        settings.generator_lr         # 0.0002, the default of pix2pix
        explicit                      # {"model", "batch_size"}
    """
    arguments = [_with_underscores(argument) for argument in arguments]
    explicit = vars(_parser().parse_args(arguments))
    settings = dataclasses.replace(Settings(), **_defaults(explicit), **explicit)
    _check_job(settings, set(explicit))
    # The settings of a resumed training are in its folder: they are checked once they are read.
    if settings.job != "train" or not settings.load_weights:
        check_use(settings, set(explicit))
    return settings, set(explicit)


def _defaults(explicit: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults of the model and the preset that the command line does not override."""
    preset = PRESETS[explicit["preset"]].settings if explicit.get("preset") else {}
    model = explicit.get("model") or preset.get("model")
    has_encoder = explicit.get("encoder", "none") != "none"
    of_encoder = SAGAN_ENCODER_DEFAULTS if has_encoder and model in (None, "sagan") else {}
    defaults = {**MODEL_DEFAULTS.get(model, {}), **of_encoder, **preset}
    if explicit.get("preset") and PRESETS[explicit["preset"]].starts_from:
        defaults["pretrained"] = os.path.join("weights", PRESETS[explicit["preset"]].starts_from)
    return {name: value for name, value in defaults.items() if name not in explicit}


class _Parser(argparse.ArgumentParser):
    """Raises errors instead of printing the usage: only `run.py` prints errors."""

    def error(self, message):
        raise InputError(f"{message}; `python run.py --help` lists all arguments")


class _HelpFormatter(argparse.HelpFormatter):
    def __init__(self, prog):
        super().__init__(prog, max_help_position=30, width=100)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python run.py",
        description="Trains neural networks to color black-and-white photographs, and colors them.",
        epilog="Without arguments, training starts on the demo photographs. Exit status: 0 "
        "success, 1 some photographs failed, 2 the job could not start (or disk or memory ran "
        "out), 3 training diverged, 4 another worker of the training was lost, 130 interrupted by "
        "Ctrl-C (143 by SIGTERM).",
        formatter_class=_HelpFormatter,
        usage="python run.py [--images PATH ... | --evaluate | --inspect | --load_weights] "
        "[options]",
        argument_default=argparse.SUPPRESS,
        # An abbreviation that works today could become ambiguous with the next option.
        allow_abbrev=False,
    )
    groups = {}
    for entry in fields():
        group = entry.metadata["group"]
        groups.setdefault(group, parser.add_argument_group(group) if group not in groups else None)
        options = dict(entry.metadata["options"])
        if isinstance(entry.default, bool) and "action" not in options:
            options["action"] = "store_true"
        groups[group].add_argument(
            *_flags(entry, options), dest=entry.name, help=_help(entry), **options
        )
    return parser


def _flags(entry: dataclasses.Field, options: dict) -> list[str]:
    names = [entry.name, *entry.metadata["aliases"]]
    if options.get("action") is Switch:
        names.append(f"no_{entry.name}")
    return [f"--{name}" for name in names]


def _help(entry: dataclasses.Field) -> str:
    text = entry.metadata["help"]
    notes = []
    if entry.name in OF_MODELS:
        notes.append(f"only with {', '.join(OF_MODELS[entry.name])}")
    default = _default(entry)
    if not (default is None or isinstance(default, bool) or "default" in text):
        notes.append(f"default: {_shown(default)}")
        notes += [
            f"{_shown(defaults[entry.name])} with {model}"
            for model, defaults in MODEL_DEFAULTS.items()
            if defaults.get(entry.name, default) != default
        ]
        if entry.name in SAGAN_ENCODER_DEFAULTS:
            notes.append(f"{SAGAN_ENCODER_DEFAULTS[entry.name]} with sagan and --encoder")
    return f"{text} ({'; '.join(notes)})" if notes else text


def _shown(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _default(entry: dataclasses.Field) -> Any:
    if entry.default is dataclasses.MISSING:
        return entry.default_factory()
    return entry.default


def _with_underscores(argument: str) -> str:
    """Turns --weights-dir=x-y into --weights_dir=x-y."""
    if not argument.startswith("--"):
        return argument
    name, equals, value = argument.partition("=")
    return "--" + name[2:].replace("-", "_") + equals + value


def check_use(settings: Settings, explicit: set[str]) -> None:
    """Rejects explicit settings that would have no effect together with the other settings.

    Raises:
        InputError: an explicit setting has no effect, or settings contradict each other.
    """
    for name, (useful, why) in _conditions(settings).items():
        if name in explicit and not useful:
            raise InputError(f"--{name} has no effect {why}; leave it out")
    _check_dataset_weights(settings)
    _check_networks(settings)
    _check_reconstruction(settings)
    _check_schedule(settings)
    if settings.job in TRAINING:
        check_discriminator(settings)


def _conditions(settings: Settings) -> dict[str, tuple[Any, str]]:
    """For each setting that can be useless: whether it has an effect, and when it has none."""
    conditions = {
        "depth": (settings.encoder == "none", f"with --encoder {settings.encoder}"),
        "encoder_weights": (
            settings.encoder != "none" and not settings.pretrained,
            "without --encoder or with --pretrained",
        ),
        "attention_resolution": (
            not settings.pretrained and (settings.model == "sagan" or settings.decoder_attention),
            "with --pretrained, or without --decoder_attention",
        ),
        "freeze_encoder_epochs": (
            settings.pretrained
            or (settings.encoder != "none" and settings.encoder_weights != "none"),
            "without a pretrained --encoder",
        ),
        "decoder_attention": (not settings.pretrained, "with --pretrained"),
        "skip_connections": (not settings.pretrained, "with --pretrained"),
        "plateau_patience": (settings.lr_schedule == "plateau", "without --lr_schedule plateau"),
        "nan_limit": (settings.nan == "skip", "without --nan skip"),
        "plateau_factor": (settings.lr_schedule == "plateau", "without --lr_schedule plateau"),
        "weight_decay": (
            settings.optimizer != "adam",
            "with --optimizer adam (adamw is Adam with weight decay)",
        ),
        "beta_2": (settings.optimizer != "sgd", "with --optimizer sgd"),
        "dataset_weights": (len(settings.dataset) > 1, "with a single --dataset"),
        "categories": (_has_kind(settings, COCO), f"without a --dataset {COCO}:DIR"),
        "data_dir": (_has_kind(settings, TFDS), f"without a --dataset {TFDS}:NAME"),
        "sample_count": (settings.sample_every, "with --sample_every 0"),
        "sample_images": (settings.sample_every, "with --sample_every 0"),
        "label_smoothing": (
            settings.adversarial == "vanilla",
            f"with --adversarial {settings.adversarial}",
        ),
        "gp_weight": (
            settings.adversarial == "wgan-gp",
            f"with --adversarial {settings.adversarial}",
        ),
        "generator_lr_alone": (
            settings.generator_epochs or settings.adversarial == "none",
            "without --generator_epochs",
        ),
        "discriminator_lr_alone": (
            settings.discriminator_epochs,
            "without --discriminator_epochs",
        ),
        "lpips_weights": (
            settings.evaluate
            or "lpips" in settings.validation_metrics
            or "lpips" in settings.reconstruction_weights,
            "without lpips in --validation_metrics or --reconstruction",
        ),
        "color_rebalancing": (
            any(settings.reconstruction_weights.get(term) for term in REBALANCED),
            f"without one of the terms {', '.join(sorted(REBALANCED))} in --reconstruction",
        ),
        "perceptual_weights": (
            "perceptual" in settings.reconstruction_weights,
            "without the term perceptual in --reconstruction",
        ),
    }
    adversarial = ("adversarial_weight", "generator_epochs", "discriminator_lr", "discriminator")
    more = ("discriminator_filters", "discriminator_epochs", "discriminator_steps")
    for name in (*adversarial, *more):
        conditions[name] = (settings.adversarial != "none", "with --adversarial none")
    conditions["input_channels"] = (
        settings.encoder == "none",
        f"with --encoder {settings.encoder}",
    )
    learns_classes = settings.model == "chromagan" and settings.class_weight
    conditions["class_index"] = (
        settings.inspect or learns_classes,
        "without --inspect or --model chromagan with a --class_weight above 0",
    )
    for name in _TEACHER_SETTINGS:
        conditions[name] = (settings.class_weight, "with --class_weight 0")
    for name, models in OF_MODELS.items():
        if settings.model not in models:
            conditions[name] = (False, f"with --model {settings.model}")
    return conditions


def _check_dataset_weights(settings: Settings) -> None:
    weights, count = settings.dataset_weights, len(settings.dataset)
    if weights and len(weights) != count:
        raise InputError(
            f"--dataset_weights {' '.join(f'{weight:g}' for weight in weights)}: give one weight "
            f"for each of the {count} datasets of --dataset; received {len(weights)}"
        )


def _check_networks(settings: Settings) -> None:
    own = MODEL_DEFAULTS.get(settings.model, {}).get("encoder")
    if own and settings.encoder == "none":
        raise InputError(
            f"--encoder none: the generator of {settings.model} needs an encoder; give --encoder "
            f"{own}, and --encoder_weights none to start it from random weights"
        )
    if settings.resolution < 2**settings.network_depth:
        raise InputError(
            f"images of {settings.resolution} px cannot be halved {settings.network_depth} "
            f"times: raise --resolution to {2**settings.network_depth}, or lower --depth"
        )
    if settings.model == "sagan" and settings.color_stride > 2**settings.network_depth:
        raise InputError(
            f"--color_stride {settings.color_stride}: with --depth {settings.network_depth} the "
            f"networks halve the size only {settings.network_depth} times; raise --depth, or lower "
            "--color_stride"
        )
    if not settings.pretrained:
        check_color_stride(settings)


def check_color_stride(settings: Settings) -> None:
    """Rejects images that do not consist of whole squares of one color.

    Raises:
        InputError: `resolution` is not a multiple of `color_stride`.
    """
    if settings.model == "sagan" and settings.resolution % settings.color_stride:
        raise InputError(
            f"--resolution {settings.resolution}: with --color_stride {settings.color_stride} the "
            f"side must be a multiple of {settings.color_stride}; give another --resolution, or "
            "--color_stride 1"
        )


def _check_reconstruction(settings: Settings) -> None:
    option = f"--reconstruction {' '.join(settings.reconstruction)}"
    if len(settings.reconstruction_weights) < len(settings.reconstruction):
        raise InputError(f"{option}: a term is given twice")
    compared = set(settings.reconstruction_weights) - {"colorfulness"}
    if not any(settings.reconstruction_weights.values()):
        raise InputError(f"{option}: no term has a weight above 0")
    if not any(settings.reconstruction_weights[name] for name in compared):
        raise InputError(
            f"{option}: no term compares with the true colors; add one that does, as in l1:1"
        )


def _check_schedule(settings: Settings) -> None:
    if settings.optimizer == "lion" and not settings.beta_1:
        raise InputError("--optimizer lion needs a --beta_1 above 0, as in 0.9; received 0.0")
    alone = settings.generator_epochs + settings.discriminator_epochs
    if alone >= settings.epochs and alone and settings.adversarial != "none":
        raise InputError(
            f"--generator_epochs {settings.generator_epochs} and --discriminator_epochs "
            f"{settings.discriminator_epochs} leave none of the {settings.epochs} epochs to train "
            "both networks together; raise --epochs, or give --adversarial none"
        )


def check_discriminator(settings: Settings) -> None:
    """Rejects a discriminator that cannot be trained with these settings.

    Raises:
        InputError: its normalization does not suit the loss, or the images are too small for it.
    """
    if settings.model == "sagan" or settings.adversarial == "none":
        return
    is_normalized = settings.model == "pix2pix" and settings.discriminator != "conv4"
    smallest = _SMALLEST_SIDES.get(settings.discriminator, 0)
    if settings.adversarial == "wgan-gp" and settings.norm == "batch" and is_normalized:
        raise InputError(
            "--adversarial wgan-gp penalizes the gradient of each image by itself, but batch "
            "normalization mixes the images of a batch; give --norm instance or none"
        )
    if settings.resolution < smallest:
        discriminator = f"the discriminator of {settings.model}"
        if settings.model == "pix2pix":
            discriminator = f"--discriminator {settings.discriminator}"
        raise InputError(
            f"{discriminator} takes images of at least {smallest} px; received --resolution "
            f"{settings.resolution}"
        )


def _has_kind(settings: Settings, kind: str) -> bool:
    return any(name.startswith(kind + ":") for name in settings.dataset)


def _check_job(settings: Settings, explicit: set[str]) -> None:
    """Rejects explicit settings that belong to another job."""
    if settings.images and settings.inspect:
        raise InputError("--images colors photographs and --inspect shows datasets; give only one")
    if settings.evaluate and settings.inspect:
        raise InputError("--evaluate evaluates weights and --inspect shows datasets; give only one")
    by_name = {entry.name: entry for entry in fields()}
    for name in sorted(explicit):
        jobs = by_name[name].metadata["jobs"]
        if settings.job in jobs:
            continue
        if settings.job in JOBS:
            why = f"when --{JOBS[settings.job]} is given"
        else:
            others = " or ".join(f"--{argument}" for job, argument in JOBS.items() if job in jobs)
            why = f"when {others} is not given"
        raise InputError(f"--{name} has no effect {why}; leave it out")
    if settings.job == "evaluate" and settings.images:
        for name in sorted(explicit.intersection(_TRUTH_SETTINGS)):
            raise InputError(
                f"--{name} has no effect with --images, which have no true colors; leave it out"
            )
    if settings.job == "colorize" and len(settings.weights or ()) > 1:
        raise InputError(
            f"--weights {' '.join(settings.weights)}: photographs are colored with the weights of "
            "one folder; give one, or compare several with --evaluate"
        )
    colors = settings.images or settings.evaluate
    if colors and "weights_dir" in explicit and not settings.load_weights:
        raise InputError(
            "--weights_dir is the folder of a training: to color with its weights, add "
            "--load_weights; to color with any other folder of weights, give --weights"
        )
    if "model" in explicit and settings.weights:
        raise InputError(
            "--model has no effect with --weights, which name their model; leave it out"
        )
    if settings.weights and settings.load_weights:
        raise InputError(
            "--weights and --load_weights both say which weights to color with; give only one"
        )
    if "quality" in explicit and settings.format in ("png", "tif", "bmp"):
        raise InputError(
            f"--quality has no effect with --format {settings.format}, which is lossless; leave it "
            "out"
        )
    model_of_preset = settings.preset and PRESETS[settings.preset].settings["model"]
    if settings.preset and settings.model != model_of_preset:
        raise InputError(
            f"--preset {settings.preset} needs --model {model_of_preset}; received --model "
            f"{settings.model}"
        )
    if settings.preset and settings.load_weights:
        raise InputError(
            "--preset starts a new training and --load_weights resumes one; give only one"
        )
    if settings.pretrained and settings.load_weights:
        raise InputError(
            "--pretrained starts a new training and --load_weights resumes one; give only one"
        )
