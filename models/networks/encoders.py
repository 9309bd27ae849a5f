"""Encoders that were trained on other pictures: the way down of a U-Net."""

import functools
import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import keras
import numpy as np
from keras import ops

from errors import InputError, first_line
from models.layers.fused_batch_normalization import FusedBatchNormalization

_MOMENTUM = 0.99


@dataclass(frozen=True)
class EncoderRecipe:
    """How a network serves as an encoder.

    Attributes:
        name: str, what people call it.
        build: gives the network without its classifier, of open size, with random weights.
        build_pretrained: the same with ImageNet's, which are downloaded where they are not there.
        build_with_classifier: gives the whole network, for files of whole networks; or None.
        levels: the layers whose outputs are the features at 1/2, 1/4, 1/8, ... of the size.
        preprocess: brings sRGB in [0, 1] into the range that the network was trained on.
    """

    name: str
    build: Callable[[], keras.Model]
    build_pretrained: Callable[[], keras.Model]
    build_with_classifier: Callable[[], keras.Model] | None
    levels: tuple[str, ...]
    preprocess: Callable


def _of_keras_applications(
    name: str, levels: tuple[str, ...], preprocess: Callable
) -> EncoderRecipe:
    application = getattr(keras.applications, name)
    headless = functools.partial(application, include_top=False, input_shape=(None, None, 3))
    return EncoderRecipe(
        name=name,
        build=functools.partial(headless, weights=None),
        build_pretrained=functools.partial(headless, weights="imagenet"),
        build_with_classifier=functools.partial(application, weights=None),
        levels=levels,
        preprocess=preprocess,
    )


def _resnet18() -> keras.Model:
    return _keras_hub().models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128, 256, 512],
        stackwise_num_blocks=[2, 2, 2, 2],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type="basic_block",
        image_shape=(None, None, 3),
    )


def _pretrained_resnet18() -> keras.Model:
    return _keras_hub().models.ResNetBackbone.from_preset("resnet_18_imagenet")


def _keras_hub() -> ModuleType:
    try:
        # Only for this one network: it is large and not in the requirements.
        return importlib.import_module("keras_hub")
    except ImportError as error:
        raise InputError(
            "--encoder resnet18 is a network of KerasHub: pip install keras-hub, or give another "
            "encoder"
        ) from error


# The mean and the deviation of ImageNet's red, green and blue in [0, 1].
_MEAN_RGB = np.array([0.485, 0.456, 0.406], "float32")
_DEVIATION_RGB = np.array([0.229, 0.224, 0.225], "float32")

# The mean of ImageNet in the order of the first networks' weights, blue, green, red.
_MEAN_BGR = np.array([103.939, 116.779, 123.68], "float32")


def _without_mean(rgb1):
    """sRGB in [0, 1] as VGG and the first ResNets saw it."""
    return ops.flip(rgb1, axis=-1) * 255.0 - _MEAN_BGR


# A new backbone is one entry, and its name in `jobs.settings`; a test compares them.
ENCODERS = {
    "mobilenet_v2": _of_keras_applications(
        "MobileNetV2",
        levels=(
            "block_1_expand_relu",
            "block_3_expand_relu",
            "block_6_expand_relu",
            "block_13_expand_relu",
            "out_relu",
        ),
        preprocess=lambda rgb1: rgb1 * 2.0 - 1.0,
    ),
    "vgg16": _of_keras_applications(
        "VGG16",
        levels=(
            "block2_conv2",
            "block3_conv3",
            "block4_conv3",
            "block5_conv3",
            "block5_pool",
        ),
        preprocess=_without_mean,
    ),
    "resnet18": EncoderRecipe(
        name="ResNet18",
        build=_resnet18,
        build_pretrained=_pretrained_resnet18,
        build_with_classifier=None,
        levels=(
            "conv1_relu",
            "stack0_block1_out",
            "stack1_block1_out",
            "stack2_block1_out",
            "stack3_block1_out",
        ),
        preprocess=lambda rgb1: (rgb1 - _MEAN_RGB) / _DEVIATION_RGB,
    ),
    "resnet50": _of_keras_applications(
        "ResNet50",
        levels=(
            "conv1_relu",
            "conv2_block3_out",
            "conv3_block4_out",
            "conv4_block6_out",
            "conv5_block3_out",
        ),
        preprocess=_without_mean,
    ),
}


def pretrained_encoder(
    name: str, weights: str | None, halvings: int | None = None, keeps_moments: bool = False
) -> keras.Model:
    """Builds an encoder that returns its features at every halving of the size.

    Args:
        name: str, one of `ENCODERS`.
        weights: None for random ones, `imagenet` for those that Keras keeps or downloads, or the
            path of a file of weights, with or without the classifier.
        halvings: int or None, at which of them to cut the network off. Defaults to all.
        keeps_moments: bool, normalize in training too with the moments that the weights come with,
            as Keras' guide to fine-tuning advises: those of a batch make other features. Of no use
            to random weights. Defaults to `False`.

    Returns:
        `keras.Model` from sRGB in [0, 1], (batch, height, width, 3), height and width multiples
        of 2 ** (number of levels), to a list of features, the finest first.

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    recipe = ENCODERS[name]
    backbone = _load_backbone(recipe, weights)
    levels = keras.Model(
        backbone.inputs, [backbone.get_layer(level).output for level in recipe.levels[:halvings]]
    )
    pictures = keras.Input((None, None, 3), name="rgb1")
    features = _with_fused_normalization(levels, keeps_moments)(recipe.preprocess(pictures))
    return keras.Model(pictures, features, name=name)


def _load_backbone(recipe: EncoderRecipe, weights: str | None) -> keras.Model:
    if weights is None:
        return recipe.build()
    if weights != "imagenet":
        return _load_file(recipe, weights)
    with warnings.catch_warnings():
        # That of ImageNet's 224 px weights are loaded for a network of open size: so it is meant.
        warnings.simplefilter("ignore", UserWarning)
        try:
            return recipe.build_pretrained()
        except InputError:
            raise
        # keras.utils.get_file raises a bare Exception when a download fails.
        except Exception as error:
            raise InputError(
                f"the ImageNet weights of {recipe.name} cannot be downloaded "
                f"({first_line(error)}); give a file with --encoder_weights PATH, or train without "
                "with --encoder_weights none"
            ) from error


def _load_file(recipe: EncoderRecipe, path: str) -> keras.Model:
    backbone = recipe.build()
    try:
        _load_without_warnings(backbone, path)
        return backbone
    except FileNotFoundError as error:
        raise InputError(
            f"--encoder_weights {path}: there is no such file; give the weights of {recipe.name}, "
            "or `imagenet` to have Keras download them"
        ) from error
    except (ValueError, OSError) as error:
        whole = _load_with_classifier(recipe, path, error)
    for layer in backbone.layers:
        if layer.weights:
            layer.set_weights(whole.get_layer(layer.name).get_weights())
    return backbone


def _load_with_classifier(recipe: EncoderRecipe, path: str, error: Exception) -> keras.Model:
    """A file that was saved with the classifier."""
    try:
        if recipe.build_with_classifier is None:
            raise error
        whole = recipe.build_with_classifier()
        _load_without_warnings(whole, path)
    except (ValueError, OSError) as last_error:
        raise InputError(
            f"--encoder_weights {path}: these are not weights of {recipe.name} "
            f"({first_line(last_error)})"
        ) from last_error
    return whole


def _load_without_warnings(network: keras.Model, path: str) -> None:
    """Keras warns once for each layer of a file that does not fit, before it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network.load_weights(path)


def _with_fused_normalization(backbone: keras.Model, keeps_moments: bool) -> keras.Model:
    """The same network and weights with the fast batch normalization.

    Its moments, where it does not keep them, forget within hundreds of steps: some of these
    networks were trained with a momentum of 0.999, with which validation would see the moments of
    ImageNet's color pictures for the first thousands of steps.
    """

    def replace(layer):
        if type(layer) is keras.layers.BatchNormalization:
            config = {**layer.get_config(), "momentum": _MOMENTUM, "keeps_moments": keeps_moments}
            return FusedBatchNormalization.from_config(config)
        return layer.__class__.from_config(layer.get_config())

    copy = keras.models.clone_model(backbone, clone_function=replace)
    copy.set_weights(backbone.get_weights())
    return copy
