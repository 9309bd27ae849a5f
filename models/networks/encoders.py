"""Encoders that were trained on other pictures: the way down of a U-Net."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import keras

from errors import InputError, first_line
from models.layers.fused_batch_normalization import FusedBatchNormalization

_MOMENTUM = 0.99


@dataclass(frozen=True)
class EncoderRecipe:
    """How a network of `keras.applications` serves as an encoder.

    Attributes:
        application: the name of the function in `keras.applications`.
        levels: the layers whose outputs are the features at 1/2, 1/4, 1/8, ... of the size.
        preprocess: brings sRGB in [0, 1] into the range that the network was trained on.
    """

    application: str
    levels: tuple[str, ...]
    preprocess: Callable


# A new backbone is one entry, and its name in `jobs.settings`; a test compares them.
ENCODERS = {
    "mobilenet_v2": EncoderRecipe(
        application="MobileNetV2",
        levels=(
            "block_1_expand_relu",
            "block_3_expand_relu",
            "block_6_expand_relu",
            "block_13_expand_relu",
            "out_relu",
        ),
        preprocess=lambda rgb1: rgb1 * 2.0 - 1.0,
    ),
}


def pretrained_encoder(name: str, weights: str | None) -> keras.Model:
    """Builds an encoder that returns its features at every halving of the size.

    Args:
        name: str, one of `ENCODERS`.
        weights: None for random ones, `imagenet` for those that Keras keeps or downloads, or the
            path of a file of weights, with or without the classifier.

    Returns:
        `keras.Model` from sRGB in [0, 1], (batch, height, width, 3), height and width multiples
        of 2 ** (number of levels), to a list of features, the finest first.

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    recipe = ENCODERS[name]
    backbone = _with_fused_normalization(_load_backbone(recipe, weights))
    pictures = keras.Input((None, None, 3), name="rgb1")
    features = keras.Model(
        backbone.inputs, [backbone.get_layer(level).output for level in recipe.levels]
    )(recipe.preprocess(pictures))
    return keras.Model(pictures, features, name=name)


def _load_backbone(recipe: EncoderRecipe, weights: str | None) -> keras.Model:
    application = getattr(keras.applications, recipe.application)
    headless = {"include_top": False, "input_shape": (None, None, 3)}
    if weights not in (None, "imagenet"):
        return _load_file(application, recipe, weights, headless)
    with warnings.catch_warnings():
        # That of ImageNet's 224 px weights are loaded for a network of open size: so it is meant.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return application(weights=weights, **headless)
        # keras.utils.get_file raises a bare Exception when a download fails.
        except Exception as error:
            raise InputError(
                f"the ImageNet weights of {recipe.application} cannot be downloaded "
                f"({first_line(error)}); give a file with --encoder_weights PATH, or train without "
                "with --encoder_weights none"
            ) from error


def _load_file(application, recipe: EncoderRecipe, path: str, headless: dict) -> keras.Model:
    backbone = application(weights=None, **headless)
    try:
        _load_without_warnings(backbone, path)
        return backbone
    except FileNotFoundError as error:
        raise InputError(
            f"--encoder_weights {path}: there is no such file; give the weights of "
            f"{recipe.application}, or `imagenet` to have Keras download them"
        ) from error
    except (ValueError, OSError):
        # A file that was saved with the classifier.
        try:
            whole = application(weights=None)
            _load_without_warnings(whole, path)
        except (ValueError, OSError) as error:
            raise InputError(
                f"--encoder_weights {path}: these are not weights of {recipe.application} "
                f"({first_line(error)})"
            ) from error
    for layer in backbone.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    return backbone


def _load_without_warnings(network: keras.Model, path: str) -> None:
    """Keras warns once for each layer of a file that does not fit, before it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network.load_weights(path)


def _with_fused_normalization(backbone: keras.Model) -> keras.Model:
    """The same network and weights with the fast batch normalization.

    Its moments forget within hundreds of steps: some of these networks were trained with a
    momentum of 0.999, with which validation would see the moments of ImageNet's color pictures
    for the first thousands of steps.
    """

    def replace(layer):
        if type(layer) is keras.layers.BatchNormalization:
            config = {**layer.get_config(), "momentum": _MOMENTUM}
            return FusedBatchNormalization.from_config(config)
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(backbone, clone_function=replace)
    copy.set_weights(backbone.get_weights())
    return copy
