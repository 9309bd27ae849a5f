"""MobileNetV2 without its classifier."""

import keras

from models.layers.depthwise_convolution import DepthwiseConv2D
from models.layers.fused_batch_normalization import FusedBatchNormalization
from models.layers.relu6 import ReLU6

# Of each stage of table 2: expansion factor, channels, number of blocks, stride of the first one.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def mobilenet_v2(momentum: float, freeze_statistics: bool) -> keras.Model:
    """Builds the network of `keras.applications.MobileNetV2`.

    The layers and their order are the same, so that `set_weights` takes the weights of Keras'
    network. Those that are slow in bfloat16 on a CPU are replaced. With Keras' network, copied with
    other layers, every start took a second longer.

    Args:
        momentum: float, as in `FusedBatchNormalization`.
        freeze_statistics: bool, as in `FusedBatchNormalization`.

    Returns:
        `keras.Model` from RGB in [-1, 1], (batch, height, width, 3), to the list of the widest
        features of each size, 1/2 to 1/32 of the image size, with 96, 144, 192, 576 and 1,280
        channels. Height and width should be multiples of 32.

    Reference:
        Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.
    """

    def normalize(features):
        layer = FusedBatchNormalization(
            epsilon=1e-3, momentum=momentum, freeze_statistics=freeze_statistics
        )
        return layer(features)

    def convolve(features, channels, size=1, strides=1):
        layer = keras.layers.Conv2D(channels, size, strides, padding="same", use_bias=False)
        return normalize(layer(features))

    def convolve_depthwise(features, strides):
        if strides == 2:
            features = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(features)
        padding = "valid" if strides == 2 else "same"
        layer = DepthwiseConv2D(3, strides, padding=padding, use_bias=False)
        return ReLU6()(normalize(layer(features)))

    images = keras.Input((None, None, 3), name="signed_rgb")
    features = ReLU6()(convolve(images, 32, size=3, strides=2))
    levels = []
    for expansion, channels, blocks, first_strides in _STAGES:
        for block in range(blocks):
            strides = first_strides if block == 0 else 1
            expanded = features
            if expansion > 1:
                expanded = ReLU6()(convolve(features, expansion * features.shape[-1]))
            if strides == 2:
                levels.append(expanded)
            reduced = convolve(convolve_depthwise(expanded, strides), channels)
            features = reduced if block == 0 else keras.layers.Add()([features, reduced])
    levels.append(ReLU6()(convolve(features, 1280)))
    return keras.Model(images, levels)
