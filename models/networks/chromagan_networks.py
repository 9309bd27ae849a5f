"""The generator of ChromaGAN: what colors, and the head that names what is in the image."""

import keras
from keras import layers

from models.layers.gray_image import GrayImage
from models.layers.padding import CropLike, PadToMultiple
from models.layers.repeat_over_grid import RepeatOverGrid
from models.networks.blocks import normalize, small_weights
from models.networks.encoders import pretrained_encoder

# The encoder is cut where its features are 1/8 of the size: VGG16 behind block4_conv3.
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
) -> tuple[keras.Model, keras.Model]:
    """The part of ChromaGAN's generator that colors.

    An encoder gives features at 1/8 of the size. Two convolutions make the mid-level features of
    every place; four others and three dense layers one vector of the whole image, which is
    joined to every place. Convolutions and three enlargements bring both to ab at full size.

    Where it differs from the paper: the encoder sees the gray image in the range that it was
    trained on, which its weights want, and not L itself; dense layers are followed by ReLU,
    because three linear ones are one; ab ends in tanh, because ours is in units of 110 and has
    both signs; and the last enlargement, of ab itself, is bilinear, so that no blocks show.

    Args:
        filters: int, 64 in the paper: the widest convolutions have eight times as many.
        norm: str, `batch`, `instance` or `none`, of the convolutions at 1/8 of the size and below.
        encoder: str, one of `ENCODERS`.
        encoder_weights: as in `pretrained_encoder`.
        freeze_encoder_statistics: bool, `freeze_statistics` there.
        global_features: str. `flatten` gives the dense layers every place of the grid, and fixes
            the size of the images; `pool` the mean of them, for images of any size.
        resolution: int or None, the side of the images, where it is fixed.
        name: str.

    Returns:
        Two `keras.Model` of the same layers, both from lightness, (batch, height, width, 1): one to
        ab, (batch, height, width, 2), float32, all in the range of networks; the other to the same
        and the features of the whole image, (batch, height / 32, width / 32, 8 filters).

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

    whole = features
    for number, stride in enumerate((2, 1, 2, 1), start=1):
        whole = _block(whole, 8 * filters, norm, f"global_{number}", strides=stride)
    vector = _flat(whole, global_features)
    for number, factor in enumerate((16, 8, 4), start=1):
        vector = layers.Dense(factor * filters, activation="relu", name=f"dense_{number}")(vector)

    places = _block(features, 8 * filters, norm, "mid_1")
    places = _block(places, 4 * filters, norm, "mid_2")
    ab = _to_ab(RepeatOverGrid(name="fusion")([places, vector]), filters)
    ab = CropLike(dtype="float32", name="crop")([ab, lightness])
    return (
        keras.Model(lightness, ab, name=name),
        keras.Model(lightness, [ab, whole], name=f"{name}_with_features"),
    )


def class_head(
    features_shape: tuple[int | None, ...],
    classes: int,
    filters: int = 64,
    global_features: str = "flatten",
    name: str = "class_head",
) -> keras.Model:
    """The head that says what is in the image; only training needs it.

    Args:
        features_shape: of the features of the whole image, without the batch.
        classes: int, how many classes there are.
        filters, global_features: as in `chromagan_generator`.
        name: str.

    Returns:
        `keras.Model` from the features to logits, (batch, classes), float32: their softmax is the
        class distribution.

    Reference: as above.
    """
    features = keras.Input(features_shape, name="features")
    vector = _flat(features, global_features)
    for number in (1, 2):
        vector = layers.Dense(64 * filters, activation="relu", name=f"class_{number}")(vector)
    logits = layers.Dense(classes, dtype="float32", name="classes")(vector)
    return keras.Model(features, logits, name=name)


def _to_ab(features, filters: int):
    """From 1/8 of the size to ab at full size."""
    features = _convolution(features, 4 * filters, 1)
    features = _convolution(features, 2 * filters, 3)
    features = layers.UpSampling2D(2)(features)
    features = _convolution(features, filters, 3)
    features = _convolution(features, filters, 3)
    features = layers.UpSampling2D(2)(features)
    features = _convolution(features, max(1, filters // 2), 3)
    # Small weights: a fresh network colors in gray, not in noise.
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
    return layers.ReLU()(normalize(convolution(features), norm))


def _flat(features, global_features: str):
    if global_features == "flatten":
        return layers.Flatten()(features)
    return layers.GlobalAveragePooling2D()(features)
