"""The model of a training: built and compiled as the settings say."""

import dataclasses
import sys

import keras
import numpy as np

from config.parser import check_discriminator
from config.presets import PRESETS
from config.settings import SHAPES, Settings
from errors import InputError
from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.adversarial.least_squares_adversarial import LeastSquaresAdversarial
from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
from losses.color_rebalancing import ColorRebalancing
from losses.lpips_network import SMALLEST_SIDE, LPIPSNetwork
from losses.lpips_weights import find_lpips_weights
from losses.perceptual import Perceptual
from losses.reconstruction import Reconstruction
from metrics.image.colorfulness import Colorfulness
from metrics.image.lpips import LPIPS
from metrics.image.psnr import PSNR
from metrics.image.ssim import SSIM
from models.catalog import COLORIZERS
from models.checkpoints.folder import WeightsFolder
from models.colorizer import Colorizer
from models.networks.blocks import level_nearest
from models.teacher import Teacher

# Keras' own.
_ADAMW_DECAY = 0.004


def new_model(
    settings: Settings, explicit: set[str], teacher: Teacher | None = None
) -> tuple[Colorizer, Settings]:
    """Builds a model to train from the start, or from the weights of --pretrained.

    Args:
        settings: all settings.
        explicit: the names of the settings that the command line gives.
        teacher: what gives the class distributions that are learned, if any are.

    Returns:
        The model, and the settings as they are now: of weights to start from, the architecture.

    Raises:
        InputError: the weights to start from cannot be had, or do not fit the explicit arguments.
    """
    colorizer = COLORIZERS[settings.model]
    classes = teacher.classes if teacher else 0
    if settings.pretrained is None:
        weights = None if settings.encoder_weights == "none" else settings.encoder_weights
        architecture = _architecture(settings, classes)
        model = colorizer(**architecture, encoder_weights=weights, ema_decay=settings.ema_decay)
        return model, _with_shapes(settings, architecture)
    source = WeightsFolder(settings.pretrained)
    if "pretrained" not in explicit and not source.holds_weights():
        raise InputError(
            f"--preset {settings.preset} goes on from {source.path}, and there are no weights; "
            f"train them with --preset {PRESETS[settings.preset].starts_from} first, or name "
            "others with --pretrained"
        )
    architecture = _pretrained_architecture(source, settings, explicit)
    if settings.freeze_encoder_epochs and not architecture.get("freeze_encoder_statistics"):
        raise InputError(
            f"--freeze_encoder_epochs: {source.path} has no encoder with statistics to freeze; "
            "leave the argument out"
        )
    settings = _with_shapes(settings, architecture)
    if settings.model == "chromagan":
        architecture["classes"] = classes
    check_discriminator(settings)
    model = colorizer(**architecture, ema_decay=settings.ema_decay)
    source.load_generator(model.generator)
    model.generator_ema.set_weights(model.generator.get_weights())
    return model, settings


def _with_shapes(settings: Settings, architecture: dict) -> Settings:
    """The settings with what the networks are, where that was left to them."""
    shapes = {name: architecture[name] for name in SHAPES if name in architecture}
    if settings.model != "sagan":
        shapes["decoder_attention"] = architecture.get("attention_level") is not None
    return dataclasses.replace(settings, **shapes)


def resumed_model(
    settings: Settings, folder: WeightsFolder, teacher: Teacher | None = None
) -> Colorizer:
    """Builds the model that settings.json describes; its weights come from the checkpoint.

    Raises:
        InputError: other classes are to be learned now.
    """
    saved = folder.read_settings()
    architecture = saved["architecture"]
    if saved.get("classes") != class_numbers(teacher):
        raise InputError(
            f"the training in {folder.path} was begun with other classes: give the --dataset and "
            "--class_weight that it was begun with"
        )
    return COLORIZERS[settings.model](**architecture, ema_decay=settings.ema_decay)


def class_numbers(teacher: Teacher | None) -> list[int] | str | None:
    """Which of ImageNet's classes are learned, as settings.json says it."""
    if teacher is None:
        return None
    return "all" if teacher.class_numbers is None else list(teacher.class_numbers)


def compile_model(
    model: Colorizer,
    settings: Settings,
    explicit: set[str],
    teacher: Teacher | None = None,
    ab_histogram: np.ndarray | None = None,
) -> Settings:
    """Gives a model its optimizers, losses, metrics, and the teacher where it has one.

    Args:
        model: to be compiled.
        settings: all settings.
        explicit: the names of the settings that the command line gives.
        teacher: of ChromaGAN.
        ab_histogram: how often each color occurs in the training images, from
            `data.color.ab_bins.count_bins`; needed where `settings.rebalances_colors`.

    Returns:
        The settings as they are now: a default perceptual loss whose network cannot be had is
        done without, at weight 0.

    Raises:
        InputError: a perceptual network that was asked for by name, or that of LPIPS, cannot be
            had.
    """
    reconstruction, settings = _reconstruction(settings, explicit, ab_histogram)
    adversarial = {
        "none": lambda: None,
        "vanilla": lambda: VanillaAdversarial(settings.label_smoothing),
        "lsgan": LeastSquaresAdversarial,
        "hinge": HingeAdversarial,
        "wgan-gp": lambda: WassersteinAdversarial(settings.gp_weight),
    }[settings.adversarial]()
    of_classes = {}
    if settings.model == "chromagan":
        of_classes = {"teacher": teacher, "class_weight": settings.class_weight}
    model.compile(
        generator_optimizer=_optimizer(settings.generator_lr, settings),
        discriminator_optimizer=_optimizer(settings.discriminator_lr, settings),
        encoder_optimizer=(
            _optimizer(settings.generator_lr, settings) if settings.freeze_encoder_epochs else None
        ),
        reconstruction=reconstruction,
        adversarial=adversarial,
        adversarial_weight=settings.adversarial_weight,
        discriminator_steps=settings.discriminator_steps,
        seed=settings.seed,
        undo_nonfinite_steps=settings.nan == "skip",
        validation_metrics=_validation_metrics(settings),
        **of_classes,
    )
    return settings


def _validation_metrics(settings: Settings) -> list[keras.metrics.Metric]:
    """The metrics that were asked for, each once.

    Raises:
        InputError: the weights of LPIPS cannot be had, or images are too small for it.
    """
    makers = {
        "psnr": lambda: [PSNR()],
        "ssim": lambda: [SSIM()],
        "colorfulness": lambda: [Colorfulness(), Colorfulness(of_truth=True)],
        "lpips": lambda: [LPIPS(find_lpips_weights(settings.lpips_weights))],
    }
    names = dict.fromkeys(settings.validation_metrics)
    if "lpips" in names:
        _check_side_for_lpips(settings, "--validation_metrics")
    return [metric for name in names for metric in makers[name]()]


def _check_side_for_lpips(settings: Settings, option: str) -> None:
    if settings.resolution < SMALLEST_SIDE:
        raise InputError(
            f"{option} lpips takes images of at least {SMALLEST_SIDE} px; received --resolution "
            f"{settings.resolution}"
        )


def _architecture(settings: Settings, classes: int) -> dict:
    if settings.model == "chromagan":
        is_flat = settings.global_features == "flatten"
        return {
            "filters": settings.filters,
            "norm": settings.norm,
            "encoder": settings.encoder,
            "freeze_encoder_statistics": _freeze_encoder_statistics(settings),
            "global_features": settings.global_features,
            "resolution": settings.resolution if is_flat else None,
            "classes": classes,
            "discriminator_filters": settings.first_discriminator_filters,
        }
    if settings.model == "encoder_decoder":
        return {
            "filters": settings.filters,
            "norm": settings.norm,
            "encoder": settings.encoder,
            "freeze_encoder_statistics": _freeze_encoder_statistics(settings),
            "skip_connections": settings.skip_connections,
            "attention_level": _decoder_attention(settings, settings.encoder_depth),
            "discriminator_filters": settings.first_discriminator_filters,
        }
    depth = settings.network_depth
    architecture = {
        "filters": settings.filters,
        "depth": depth,
        "norm": settings.norm,
        "encoder": settings.encoder,
        "freeze_encoder_statistics": _freeze_encoder_statistics(settings),
        "discriminator_filters": settings.first_discriminator_filters,
    }
    if settings.model == "pix2pix":
        own = {
            "input_channels": settings.input_channels,
            "attention_level": _decoder_attention(settings, depth - 1),
            "discriminator": settings.discriminator,
        }
    else:
        level = level_nearest(settings.resolution, settings.attention_resolution, depth)
        own = {"attention_level": level}
    return {**architecture, **own}


def _freeze_encoder_statistics(settings: Settings) -> bool:
    """Whether the encoder comes with statistics to keep."""
    return settings.encoder != "none" and settings.encoder_weights != "none"


def _decoder_attention(settings: Settings, deepest: int) -> int | None:
    """The level of the decoder at which self-attention stands, where it is asked for."""
    if not settings.decoder_attention:
        return None
    if not deepest:
        raise InputError("--decoder_attention: with --depth 1 there is no place for it")
    return max(1, level_nearest(settings.resolution, settings.attention_resolution, deepest))


def _pretrained_architecture(source: WeightsFolder, settings: Settings, explicit: set[str]) -> dict:
    """The architecture of the weights to start from; only the discriminator may differ."""
    saved = source.read_settings()
    architecture = dict(saved["architecture"])
    if saved.get("model") != settings.model:
        raise InputError(
            f"--pretrained {source.path}: these are weights of {saved.get('model')}; add --model "
            f"{saved.get('model')}"
        )
    # What a preset says of the generator is said of trainings from the start.
    preset = PRESETS[settings.preset].settings if settings.preset else {}
    if "discriminator" in {*explicit, *preset} and "discriminator" in architecture:
        architecture["discriminator"] = settings.discriminator
        architecture["discriminator_filters"] = settings.first_discriminator_filters
    if "discriminator_filters" in {*explicit, *preset}:
        architecture["discriminator_filters"] = settings.discriminator_filters
    for name in sorted(explicit.intersection(SHAPES) - {"discriminator", "discriminator_filters"}):
        if name in architecture and architecture[name] != getattr(settings, name):
            raise InputError(
                f"--{name} {getattr(settings, name)}: the weights in {source.path} were trained "
                f"with {architecture[name]}; leave the argument out"
            )
    side = architecture.get("resolution")
    if side and settings.resolution != side:
        raise InputError(
            f"--resolution {settings.resolution}: the weights in {source.path} take images of "
            f"{side} px alone; give --resolution {side}"
        )
    if settings.resolution < 2 ** architecture.get("depth", 0):
        raise InputError(
            f"images of {settings.resolution} px cannot be halved {architecture['depth']} times, "
            f"as the weights in {source.path} want it; raise --resolution"
        )
    return architecture


def _reconstruction(
    settings: Settings, explicit: set[str], ab_histogram: np.ndarray | None
) -> tuple[Reconstruction, Settings]:
    """The reconstruction loss. A default perceptual network that cannot be had is done without."""
    weights = settings.reconstruction_weights
    perceptual = None
    if weights.get("perceptual"):
        try:
            perceptual = Perceptual(settings.perceptual_weights)
        except InputError as error:
            asked_for = explicit.intersection({"reconstruction", "perceptual_weights"})
            if asked_for or settings.load_weights:
                raise
            print(f"warning: no perceptual loss in this training: {error}", file=sys.stderr)
            weights["perceptual"] = 0.0
            terms = [f"{name}:{weight:g}" for name, weight in weights.items()]
            settings = dataclasses.replace(settings, reconstruction=terms)
    lpips = None
    if weights.get("lpips"):
        _check_side_for_lpips(settings, "--reconstruction")
        path = find_lpips_weights(settings.lpips_weights)
        lpips = LPIPSNetwork(path, keras.config.dtype_policy())
    rebalancing = None
    if settings.rebalances_colors:
        if ab_histogram is None:
            raise ValueError("with `color_rebalancing`, `ab_histogram` is needed. Received: None")
        rebalancing = ColorRebalancing(ab_histogram, settings.color_rebalancing)
    return Reconstruction(weights, perceptual, lpips, rebalancing), settings


def _optimizer(rate: float, settings: Settings) -> keras.optimizers.Optimizer:
    betas = {"beta_1": settings.beta_1, "beta_2": settings.beta_2}
    decay = settings.weight_decay
    optimizers = keras.optimizers
    optimizer = {
        "adam": lambda: optimizers.Adam(rate, **betas),
        "adamw": lambda: optimizers.AdamW(
            rate, weight_decay=_ADAMW_DECAY if decay is None else decay, **betas
        ),
        "sgd": lambda: optimizers.SGD(rate, momentum=settings.beta_1, weight_decay=decay),
        "lion": lambda: optimizers.Lion(rate, weight_decay=decay, **betas),
    }[settings.optimizer]()
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
