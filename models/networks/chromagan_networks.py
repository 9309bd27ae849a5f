"""The networks of ChromaGAN: the generator and its class head."""

import keras
from keras import layers

from models.layers.gray_image import GrayImage
from models.layers.padding import CropLike, PadToMultiple
from models.layers.repeat_over_grid import RepeatOverGrid
from models.networks.blocks import normalize, small_weights
from models.networks.encoders import pretrained_encoder

# The encoder is cut off at 1/8 of the size: VGG16 after block4_conv3.
HALVINGS = 3

GLOBAL_FEATURES = ("flatten", "pool")


def chromagan_generator(
    filters: int = 64,
    norm: str = "batch",
    encoder: str = "vgg16",
    encoder_weights: str | None = None,
    freeze_encoder_statistics: bool = False,
    global_features: str = "flatten",
    resolution: int | None = 224,
    name: str = "generator",
) -> keras.Model:
    """Builds ChromaGAN's generator without its class head.

    An encoder computes features at 1/8 of the image size. Two convolutions turn them into
    mid-level features; four other convolutions and three dense layers turn them into one vector for
    the whole image, which is concatenated to the mid-level features at every position.
    Convolutions and three upsamplings lead to ab at full size.

    Differences from the paper: the encoder's input is the gray image in the range that its weights
    were trained on, and not L; the dense layers are followed by ReLU, because three linear layers
    are equivalent to one; ab ends in tanh, because it is in units of 110 here and has both signs;
    and the last upsampling, of ab itself, is bilinear to avoid visible blocks.

    Args:
        filters: int, the widest convolutions have eight times as many channels. Defaults to `64`,
            as in the paper.
        norm: str, `batch`, `instance` or `none`, after the convolutions of the mid-level features
            and of the whole image. Defaults to `batch`.
        encoder: str, one of `ENCODERS`. Defaults to `vgg16`.
        encoder_weights: as `weights` in `pretrained_encoder`.
        freeze_encoder_statistics: as `freeze_statistics` in `pretrained_encoder`.
        global_features: str. With `flatten` the dense layers get the features of every position,
            which fixes the image size; with `pool` they get the mean, for images of any size.
            Defaults to `flatten`.
        resolution: int or None, the side of the images; used with `flatten` alone. Defaults to
            `224`.
        name: str.

    Returns:
        `keras.Model` from lightness, (batch, height, width, 1), to ab, (batch, height, width, 2),
        float32, both scaled as in `lab1`.

    Reference: Vitoria, Raad, Ballester, "ChromaGAN: Adversarial Image Colorization with Semantic
    Class Distribution", WACV 2020, figure 2.
    """
    if global_features not in GLOBAL_FEATURES:
        raise ValueError(
            f"`global_features` should be one of {GLOBAL_FEATURES}. Received: "
            f"`global_features={global_features!r}`"
        )
    side = resolution if global_features == "flatten" else None
    lightness = keras.Input((side, side, 1), name="lightness")
    gray = GrayImage(name="gray")(PadToMultiple(2**HALVINGS, name="pad")(lightness))
    features = pretrained_encoder(encoder, encoder_weights, HALVINGS, freeze_encoder_statistics)(
        gray
    )[-1]

    image_features = features
    for number, stride in enumerate((2, 1, 2, 1), start=1):
        image_features = _block(
            image_features, 8 * filters, norm, f"global_{number}", strides=stride
        )
    vector = _to_vector(image_features, global_features)
    for number, factor in enumerate((16, 8, 4), start=1):
        vector = layers.Dense(factor * filters, activation="relu", name=f"dense_{number}")(vector)

    mid_level = _block(features, 8 * filters, norm, "mid_1")
    mid_level = _block(mid_level, 4 * filters, norm, "mid_2")
    ab = _to_ab(RepeatOverGrid(name="fusion")([mid_level, vector]), filters)
    ab = CropLike(dtype="float32", name="crop")([ab, lightness])
    return keras.Model(lightness, ab, name=name)


def with_image_features(generator: keras.Model) -> keras.Model:
    """The generator with a second output, for `class_head`; it shares all layers.

    Args:
        generator: `keras.Model`, from `chromagan_generator`.

    Returns:
        `keras.Model` from lightness to ab and to the features of the whole image, (batch,
        height / 32, width / 32, 8 filters).
    """
    features = generator.get_layer("global_4_relu").output
    return keras.Model(generator.input, [generator.output, features])


def class_head(
    features_shape: tuple[int | None, ...],
    classes: int,
    filters: int = 64,
    global_features: str = "flatten",
    name: str = "class_head",
) -> keras.Model:
    """Builds the head that classifies the image; only training needs it.

    Args:
        features_shape: tuple, shape of the features of the whole image without the batch axis.
        classes: int, the number of classes.
        filters, global_features: as in `chromagan_generator`.
        name: str.

    Returns:
        `keras.Model` from the features to logits, (batch, classes), float32; their softmax is the
        class distribution.

    Reference: as in `chromagan_generator`.
    """
    features = keras.Input(features_shape, name="features")
    vector = _to_vector(features, global_features)
    for number in (1, 2):
        vector = layers.Dense(64 * filters, activation="relu", name=f"class_{number}")(vector)
    logits = layers.Dense(classes, dtype="float32", name="classes")(vector)
    return keras.Model(features, logits, name=name)


def _to_ab(features, filters: int):
    """Computes ab at full size from features at 1/8 of the size."""
    features = _convolution(features, 4 * filters, 1)
    features = _convolution(features, 2 * filters, 3)
    features = layers.UpSampling2D(2)(features)
    features = _convolution(features, filters, 3)
    features = _convolution(features, filters, 3)
    features = layers.UpSampling2D(2)(features)
    features = _convolution(features, max(1, filters // 2), 3)
    # With small weights an untrained network colors in gray, not in noise.
    ab = layers.Conv2D(
        2,
        3,
        padding="same",
        activation="tanh",
        kernel_initializer=small_weights(),
        dtype="float32",
        name="ab",
    )(features)
    return layers.UpSampling2D(2, interpolation="bilinear", dtype="float32", name="enlarge")(ab)


def _convolution(features, filters: int, size: int):
    return layers.Conv2D(filters, size, padding="same", activation="relu")(features)


def _block(features, filters: int, norm: str, name: str, strides: int = 1):
    # A normalization that subtracts the mean makes the bias useless.
    convolution = layers.Conv2D(
        filters, 3, strides=strides, padding="same", use_bias=norm == "none", name=name
    )
    return layers.ReLU(name=f"{name}_relu")(normalize(convolution(features), norm))


def _to_vector(features, global_features: str):
    if global_features == "flatten":
        return layers.Flatten()(features)
    return layers.GlobalAveragePooling2D()(features)
