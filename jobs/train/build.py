"""Builds and compiles the model of a training from its settings."""

import keras
import numpy as np

from config.settings import Settings
from errors import InputError
from jobs.common.error_translation import about_option
from losses.adversarial.hinge_adversarial import HingeAdversarial
from losses.adversarial.least_squares_adversarial import LeastSquaresAdversarial
from losses.adversarial.vanilla_adversarial import VanillaAdversarial
from losses.adversarial.wasserstein_adversarial import WassersteinAdversarial
from losses.color_rebalancing import ColorRebalancing
from losses.lpips_network import SMALLEST_SIDE, LPIPSNetwork
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
from models.networks.without_hints import without_hints
from models.teacher import Teacher

# The default of Keras.
_ADAMW_DECAY = 0.004


def new_model(settings: Settings, teacher: Teacher | None = None) -> Colorizer:
    """Builds a model to train from scratch, or from the weights of --pretrained.

    Args:
        settings: `Settings`, from `jobs.train.resolve.resolve_settings` for pretrained weights.
        teacher: `Teacher` or None, the source of the class distributions to train on. Defaults to
            `None`.

    Raises:
        InputError: the weights of an encoder or of --pretrained are not available.
    """
    colorizer = COLORIZERS[settings.model]
    classes = teacher.classes if teacher else 0
    if settings.pretrained is None:
        weights = None if settings.encoder_weights == "none" else settings.encoder_weights
        architecture = _architecture(settings, classes)
        with about_option("encoder_weights"):
            return colorizer(**architecture, encoder_weights=weights, ema_decay=settings.ema_decay)
    source = WeightsFolder(settings.pretrained)
    # Only the discriminator may differ from that of the weights.
    architecture = dict(source.read_settings()["architecture"])
    architecture["discriminator_filters"] = settings.first_discriminator_filters
    if "discriminator" in architecture:
        architecture["discriminator"] = settings.discriminator
    if settings.model == "chromagan":
        architecture["classes"] = classes
    if settings.model == "sagan":
        architecture["hints"] = settings.hints_share > 0.0
    model = colorizer(**architecture, ema_decay=settings.ema_decay)
    _load_pretrained(source, model)
    model.generator_ema.set_weights(model.generator.get_weights())
    return model


def _load_pretrained(source: WeightsFolder, model: Colorizer) -> None:
    """Loads weights into a generator that may take hints, from one that may not, or the reverse."""
    saved = source.read_settings()["architecture"]
    had_hints = saved.get("hints", False)
    if had_hints == model.takes_hints:
        source.load_generator(model.generator)
    elif model.takes_hints:
        source.load_generator(without_hints(model.generator))
    else:
        generator = type(model).build_generator(saved)
        source.load_generator(generator)
        model.generator.set_weights(without_hints(generator).get_weights())


def resumed_model(
    settings: Settings, folder: WeightsFolder, teacher: Teacher | None = None
) -> Colorizer:
    """Builds the model that settings.json describes, without the weights of its checkpoint.

    Args:
        settings: `Settings`.
        folder: `WeightsFolder` of the training.
        teacher: `Teacher` or None. Defaults to `None`.

    Raises:
        InputError: the training was started with other classes than those of `teacher`.
    """
    saved = folder.read_settings()
    architecture = saved["architecture"]
    if saved.get("classes") != class_numbers(teacher):
        raise InputError(
            f"the training in {folder.path} was started with other classes; give the --dataset "
            "and --class_weight that it was started with"
        )
    return COLORIZERS[settings.model](**architecture, ema_decay=settings.ema_decay)


def class_numbers(teacher: Teacher | None) -> list[int] | str | None:
    """The numbers of the ImageNet classes to train on, as saved in settings.json."""
    if teacher is None:
        return None
    return "all" if teacher.class_numbers is None else list(teacher.class_numbers)


def compile_model(
    model: Colorizer,
    settings: Settings,
    teacher: Teacher | None = None,
    ab_histogram: np.ndarray | None = None,
) -> None:
    """Compiles a model with the optimizers, losses, metrics and teacher of its settings.

    Args:
        model: `Colorizer`.
        settings: `Settings`.
        teacher: `Teacher` or None, for ChromaGAN. Defaults to `None`.
        ab_histogram: int array of shape (23, 23) or None, from `data.color.ab_bins.count_bins`.
            Required if `settings.rebalances_colors`. Defaults to `None`.

    Raises:
        InputError: the weights of LPIPS or of the perceptual loss are not available, or the images
            are too small for LPIPS.
    """
    if settings.hints_alone:
        model.train_hints_alone()
    adversarial = {
        "none": lambda: None,
        "vanilla": lambda: VanillaAdversarial(settings.label_smoothing),
        "lsgan": LeastSquaresAdversarial,
        "hinge": HingeAdversarial,
        "wgan-gp": lambda: WassersteinAdversarial(settings.gp_weight),
    }[settings.adversarial]()
    class_options = {}
    if settings.model == "chromagan":
        class_options = {"teacher": teacher, "class_weight": settings.class_weight}
    has_encoder_optimizer = settings.freeze_encoder_epochs or settings.encoder_lr_share < 1.0
    model.compile(
        generator_optimizer=_optimizer(settings.generator_lr, settings),
        discriminator_optimizer=_optimizer(settings.discriminator_lr, settings),
        encoder_lr_share=settings.encoder_lr_share if has_encoder_optimizer else None,
        reconstruction=_reconstruction(settings, ab_histogram),
        adversarial=adversarial,
        adversarial_weight=settings.adversarial_weight,
        discriminator_steps=settings.discriminator_steps,
        seed=settings.seed,
        undo_nonfinite_steps=settings.nan == "skip",
        validation_metrics=_validation_metrics(settings),
        **class_options,
    )


def _validation_metrics(settings: Settings) -> list[keras.metrics.Metric]:
    """The metrics of --validation_metrics, each once.

    Raises:
        InputError: the weights of LPIPS are not available, or the images are too small for it.
    """
    makers = {
        "psnr": lambda: [PSNR()],
        "ssim": lambda: [SSIM()],
        "colorfulness": lambda: [Colorfulness(), Colorfulness(of_truth=True)],
        "lpips": lambda: [LPIPS(settings.lpips_weights)],
    }
    names = dict.fromkeys(settings.validation_metrics)
    if "lpips" in names:
        _check_side_for_lpips(settings, "--validation_metrics")
    with about_option("lpips_weights"):
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
        own = {
            # The decoder path ends at the level of the colors.
            "attention_level": max(level, settings.color_stride.bit_length() - 1),
            "color_stride": settings.color_stride,
            "attention_pool": settings.attention_pool,
            "hints": settings.hints_share > 0.0,
        }
    return {**architecture, **own}


def _freeze_encoder_statistics(settings: Settings) -> bool:
    """Whether the encoder is pretrained: then its batch statistics stay fixed."""
    return settings.encoder != "none" and settings.encoder_weights != "none"


def _decoder_attention(settings: Settings, deepest: int) -> int | None:
    """The decoder level of the self-attention, or None without --decoder_attention."""
    if not settings.decoder_attention:
        return None
    if not deepest:
        raise InputError(
            "--decoder_attention: a network of --depth 1 has no level for it; raise --depth"
        )
    return max(1, level_nearest(settings.resolution, settings.attention_resolution, deepest))


def _reconstruction(settings: Settings, ab_histogram: np.ndarray | None) -> Reconstruction:
    weights = settings.reconstruction_weights
    perceptual = None
    if weights.get("perceptual"):
        with about_option("perceptual_weights"):
            perceptual = Perceptual(settings.perceptual_weights)
    lpips = None
    if weights.get("lpips"):
        _check_side_for_lpips(settings, "--reconstruction")
        with about_option("lpips_weights"):
            lpips = LPIPSNetwork(settings.lpips_weights, keras.config.dtype_policy())
    rebalancing = None
    if settings.rebalances_colors:
        if ab_histogram is None:
            raise ValueError(
                "`color_rebalancing` requires `ab_histogram`. Received: ab_histogram=None"
            )
        rebalancing = ColorRebalancing(ab_histogram, settings.color_rebalancing)
    return Reconstruction(weights, perceptual, lpips, rebalancing)


def _optimizer(rate: float, settings: Settings) -> keras.optimizers.Optimizer:
    betas = {"beta_1": settings.beta_1, "beta_2": settings.beta_2}
    decay = settings.weight_decay
    optimizers = keras.optimizers
    return {
        "adam": lambda: optimizers.Adam(rate, **betas),
        "adamw": lambda: optimizers.AdamW(
            rate, weight_decay=_ADAMW_DECAY if decay is None else decay, **betas
        ),
        "sgd": lambda: optimizers.SGD(rate, momentum=settings.beta_1, weight_decay=decay),
        "lion": lambda: optimizers.Lion(rate, weight_decay=decay, **betas),
    }[settings.optimizer]()
