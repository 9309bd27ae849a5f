"""Pretrained encoders: the encoder path of a U-Net."""

import importlib
import warnings
from types import ModuleType

import keras
import numpy as np
from keras import ops

from data.downloads import without_bars
from errors import InputError, first_line
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.layers.resizing import EnlargeToAtLeast
from models.networks.encoder_recipes import ENCODERS, EncoderRecipe
from models.networks.mobilenet_v2 import mobilenet_v2

_MOMENTUM = 0.99

# The mean and the standard deviation of ImageNet's red, green and blue in [0, 1].
_MEAN_RGB = np.array([0.485, 0.456, 0.406], "float32")
_DEVIATION_RGB = np.array([0.229, 0.224, 0.225], "float32")

# The mean of ImageNet's blue, green and red in [0, 255].
_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")

# From sRGB in [0, 1] to the input that the networks were trained on: whether blue comes first, and
# the layer that scales the channels.
_PREPARATIONS = {
    "signed": (False, {"scale": 2.0, "offset": -1.0}),
    "bgr": (True, {"scale": 255.0, "offset": (-_MEAN_BGR).tolist()}),
    "standardized": (
        False,
        {
            "scale": (1.0 / _DEVIATION_RGB).tolist(),
            "offset": (-_MEAN_RGB / _DEVIATION_RGB).tolist(),
        },
    ),
}


def pretrained_encoder(
    name: str,
    weights: str | None,
    halvings: int | None = None,
    freeze_statistics: bool = False,
    exact: bool = True,
) -> keras.Model:
    """Builds an encoder that returns its features at every halving of the size.

    Args:
        name: str, one of `ENCODERS`.
        weights: None for random weights, `imagenet` for those that Keras caches or downloads, or
            the path of a weights file, with or without the classifier.
        halvings: int or None, the number of halvings after which to cut the network off. Defaults
            to `None`, for all of them.
        freeze_statistics: bool, whether to normalize with the statistics of the weights in training
            too, as Keras' guide to fine-tuning advises, because batch statistics change the
            features. It is of no use with random weights. Defaults to `False`.
        exact: bool, whether to add the missing padding to networks that lose borders, so that the
            features are aligned with the image. Without it such networks are unchanged, and images
            that are too small for them are enlarged. Defaults to `True`.

    Returns:
        `keras.Model` from sRGB in [0, 1], (batch, height, width, 3), to a list of features, the
        finest first. With `exact`, and if height and width are multiples of 2 ** (number of
        levels), each level is half as large as the one before.

    Raises:
        InputError: the weights cannot be loaded or do not fit.
    """
    recipe = ENCODERS[name]
    images = keras.Input((None, None, 3), name="rgb1")
    prepared = _prepared(images, recipe)
    is_padded = exact and not recipe.halves_exactly
    if recipe.smallest_side > 1 and not is_padded:
        prepared = EnlargeToAtLeast(recipe.smallest_side, name="enlarge")(prepared)
    levels = _levels(recipe, weights, halvings, freeze_statistics, is_padded)
    return keras.Model(images, levels(prepared), name=name)


def _prepared(images, recipe: EncoderRecipe):
    is_bgr, scaling = _PREPARATIONS[recipe.images]
    channels = ops.flip(images, axis=-1) if is_bgr else images
    # In float32, or pixels would be rounded before they are scaled.
    return keras.layers.Rescaling(**scaling, dtype="float32", name="prepare")(channels)


def _levels(
    recipe: EncoderRecipe,
    weights: str | None,
    halvings: int | None,
    freeze_statistics: bool,
    is_padded: bool,
) -> keras.Model:
    """Builds the network up to its last level, with `FusedBatchNormalization`."""
    own = None
    if recipe.name == "MobileNetV2":
        whole = mobilenet_v2(_MOMENTUM, freeze_statistics)
        own = keras.Model(whole.inputs, whole.outputs[:halvings])
        if weights is None:
            return own
    backbone = _load_backbone(recipe, weights)
    loaded = keras.Model(
        backbone.inputs, [_layer(backbone, level).output for level in recipe.levels[:halvings]]
    )
    levels = own or _rebuild(loaded, freeze_statistics, is_padded)
    levels.set_weights(loaded.get_weights())
    return levels


def _layer(network: keras.Model, level: str | int) -> keras.Layer:
    if isinstance(level, int):
        return network.get_layer(index=level)
    return network.get_layer(level)


def _build(recipe: EncoderRecipe, weights: str | None) -> keras.Model:
    """Builds the network without its classifier, for images of any size."""
    if recipe.library == "keras_hub":
        backbone = getattr(_keras_hub(recipe).models, recipe.name)
        if weights is None:
            return backbone(**recipe.options, image_shape=(None, None, 3))
        return backbone.from_preset(recipe.preset)
    application = getattr(keras.applications, recipe.name)
    return application(include_top=False, weights=weights, input_shape=(None, None, 3))


def _keras_hub(recipe: EncoderRecipe) -> ModuleType:
    try:
        # KerasHub is large and not in the requirements.
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise InputError(
            f"the encoder {recipe.preset} needs KerasHub: pip install keras-hub, or give another "
            "encoder"
        ) from error


def _load_backbone(recipe: EncoderRecipe, weights: str | None) -> keras.Model:
    if weights is None:
        return _build(recipe, None)
    if weights != "imagenet":
        return _load_file(recipe, weights)
    with warnings.catch_warnings(), without_bars():
        # Keras warns that weights for 224 px are loaded into a network for any size.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return _build(recipe, "imagenet")
        except InputError:
            raise
        # keras.utils.get_file raises a bare Exception when a download fails.
        except Exception as error:
            raise InputError(
                f"the ImageNet weights of {recipe.name} cannot be downloaded "
                f"({first_line(error)}); give the path of a file"
            ) from error


def _load_file(recipe: EncoderRecipe, path: str) -> keras.Model:
    backbone = _build(recipe, None)
    try:
        _load_without_warnings(backbone, path)
        return backbone
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: there is no such file; give the weights of {recipe.name}, or `imagenet` to "
            "have Keras download them"
        ) from error
    except (ValueError, OSError) as error:
        classifier = _load_with_classifier(recipe, path, error)
    # Layers are matched by their order, because some have a new name in each network.
    for layer, loaded in zip(backbone.layers, classifier.layers, strict=False):
        layer.set_weights(loaded.get_weights())
    return backbone


def _load_with_classifier(recipe: EncoderRecipe, path: str, error: Exception) -> keras.Model:
    """Loads a file that was saved with the classifier."""
    try:
        if recipe.library != "keras.applications":
            raise error
        classifier = getattr(keras.applications, recipe.name)(weights=None)
        _load_without_warnings(classifier, path)
    except (ValueError, OSError) as last_error:
        raise InputError(
            f"{path}: these are not weights of {recipe.name} ({first_line(last_error)})"
        ) from last_error
    return classifier


def _load_without_warnings(network: keras.Model, path: str) -> None:
    """Loads weights; Keras would warn of each layer that does not fit before it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network.load_weights(path)


def _rebuild(backbone: keras.Model, freeze_statistics: bool, is_padded: bool) -> keras.Model:
    """Builds a network again with `FusedBatchNormalization`, and with `same` padding if
    `is_padded`. The weights are not copied.

    Statistics that are not frozen adapt within hundreds of steps: some of these networks were
    trained with a momentum of 0.999, with which validation would use the statistics of ImageNet's
    color images for the first thousands of steps.
    """

    def replace(layer):
        if type(layer) is keras.layers.BatchNormalization:
            config = {
                **layer.get_config(),
                "momentum": _MOMENTUM,
                "freeze_statistics": freeze_statistics,
            }
            return FusedBatchNormalization.from_config(config)
        config = layer.get_config()
        if is_padded and config.get("padding") == "valid":
            config["padding"] = "same"
        return layer.__class__.from_config(config)

    return keras.models.clone_model(backbone, clone_function=replace)
