"""The rules of the settings: which have an effect on a job, and which contradict each other."""

import dataclasses
from collections.abc import Set

from config.groups.presets import MODEL_DEFAULTS, PRESETS
from config.groups.setting import Jobs
from config.settings import JOBS, Settings, fields
from errors import InputError

# The smallest sides in pixels for which the convolutions leave an output position.
_SMALLEST_SIDES = {"patch": 24, "conv4": 121}


def without_effect(settings: Settings, entry: dataclasses.Field) -> str | None:
    """When a setting has no effect on the job, as in "with --model sagan"; None if it has one."""
    return _of_other_jobs(settings, entry) or _unmet_need(settings, entry)


def check_job(settings: Settings, explicit: Set[str]) -> None:
    """Rejects explicit settings that belong to another job.

    Raises:
        InputError: an explicit setting belongs to another job, or settings select two jobs.
    """
    for name, what in (("images", "colors photographs"), ("evaluate", "evaluates weights")):
        if settings.inspect and getattr(settings, name):
            raise InputError(f"--{name} {what} and --inspect shows datasets; give only one")
    for name in ("images", "evaluate", "inspect", "export"):
        if settings.serve and getattr(settings, name):
            raise InputError(f"--serve opens a page and --{name} does not; give only one")
        if settings.export and name != "export" and getattr(settings, name):
            raise InputError(f"--export writes networks and --{name} does not; give only one")
    for entry in fields():
        if entry.name in explicit and (when := _of_other_jobs(settings, entry)):
            raise InputError(f"--{entry.name} has no effect {when}; leave it out")
    _check_weights(settings, explicit)
    _check_start(settings, explicit)


def check_use(settings: Settings, explicit: Set[str]) -> None:
    """Rejects explicit settings that would have no effect together with the other settings.

    Raises:
        InputError: an explicit setting has no effect, or settings contradict each other.
    """
    for entry in fields():
        if entry.name in explicit and (when := _unmet_need(settings, entry)):
            raise InputError(f"--{entry.name} has no effect {when}; leave it out")
    _check_dataset_weights(settings)
    _check_networks(settings)
    _check_reconstruction(settings)
    _check_schedule(settings)
    if settings.job in Jobs.TRAINING:
        check_discriminator(settings)


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


def _of_other_jobs(settings: Settings, entry: dataclasses.Field) -> str | None:
    jobs = entry.metadata["jobs"]
    # `--no_evaluate` selects no job, but may override a file.
    if settings.job in jobs or entry.name in JOBS.values():
        return None
    if settings.job in JOBS:
        return f"when --{JOBS[settings.job]} is given"
    others = " or ".join(f"--{argument}" for job, argument in JOBS.items() if job in jobs)
    return f"when {others} is not given"


def _unmet_need(settings: Settings, entry: dataclasses.Field) -> str | None:
    if settings.model not in entry.metadata["models"]:
        return f"with --model {settings.model}"
    unmet = (need for need in entry.metadata["needs"] if not need.holds(settings))
    return next((need.otherwise.format_map(vars(settings)) for need in unmet), None)


def _check_weights(settings: Settings, explicit: Set[str]) -> None:
    of_one_folder = settings.job in Jobs.USING_WEIGHTS - Jobs.EVALUATING
    if of_one_folder and settings.weights and len(settings.weights) > 1:
        raise InputError(
            f"--weights {' '.join(settings.weights)}: photographs are colored with, and networks "
            "exported from, one folder; give one, or compare several with --evaluate"
        )
    colors = settings.job in Jobs.USING_WEIGHTS
    if colors and "weights_dir" in explicit and not settings.load_weights:
        raise InputError(
            "--weights_dir is the folder of a training: to use its weights, add --load_weights; to "
            "use any other folder of weights, give --weights"
        )
    if settings.weights and settings.load_weights:
        raise InputError(
            "--weights and --load_weights both say which weights to use; give only one"
        )


def _check_start(settings: Settings, explicit: Set[str]) -> None:
    model_of_preset = settings.preset and PRESETS[settings.preset].settings["model"]
    if settings.preset and settings.model != model_of_preset:
        raise InputError(
            f"--preset {settings.preset} needs --model {model_of_preset}; received --model "
            f"{settings.model}"
        )
    for name in ("preset", "pretrained"):
        if settings.load_weights and name in explicit:
            raise InputError(
                f"--{name} starts a new training and --load_weights resumes one; give only one"
            )


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
