"""The networks for image recognition that can be a generator's encoder, for all colorizers.

A new backbone is one entry. Keras is not imported here, so that the command line can list the names
without delay.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class EncoderRecipe:
    """How to use a network as an encoder.

    Attributes:
        name: str, the class or function of the library that builds the network.
        levels: tuple of str or int, the layers whose outputs are the features at 1/2, 1/4, 1/8, ...
            of the size: by name, or by index where Keras generates a new name each time.
        images: str, the input that the network was trained on: `signed` (RGB in [-1, 1]), `bgr`
            (blue, green, red in [0, 255] minus ImageNet's mean) or `standardized` (RGB in [0, 1]
            minus the mean, divided by the standard deviation).
        library: str, `keras.applications` or the optional `keras_hub`. Defaults to
            `keras.applications`.
        preset: str, for KerasHub, the name of the ImageNet weights.
        options: dict, for KerasHub, the arguments that build the network without weights.
        smallest_side: int, the smallest image side that the network accepts; smaller images are
            enlarged. Defaults to `1`.
        halves_exactly: bool, whether even sizes are halved exactly; convolutions without padding
            lose a border each time. Defaults to `True`.
    """

    name: str
    levels: tuple[str | int, ...]
    images: str
    library: str = "keras.applications"
    preset: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    smallest_side: int = 1
    halves_exactly: bool = True


ENCODERS = {
    "mobilenet_v2": EncoderRecipe(
        "MobileNetV2",
        levels=(
            "block_1_expand_relu",
            "block_3_expand_relu",
            "block_6_expand_relu",
            "block_13_expand_relu",
            "out_relu",
        ),
        images="signed",
    ),
    "vgg16": EncoderRecipe(
        "VGG16",
        levels=("block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3", "block5_pool"),
        images="bgr",
    ),
    "resnet18": EncoderRecipe(
        "ResNetBackbone",
        levels=(
            "conv1_relu",
            "stack0_block1_out",
            "stack1_block1_out",
            "stack2_block1_out",
            "stack3_block1_out",
        ),
        images="standardized",
        library="keras_hub",
        preset="resnet_18_imagenet",
        options={
            "input_conv_filters": [64],
            "input_conv_kernel_sizes": [7],
            "stackwise_num_filters": [64, 128, 256, 512],
            "stackwise_num_blocks": [2, 2, 2, 2],
            "stackwise_num_strides": [1, 2, 2, 2],
            "block_type": "basic_block",
        },
    ),
    "resnet50": EncoderRecipe(
        "ResNet50",
        levels=(
            "conv1_relu",
            "conv2_block3_out",
            "conv3_block4_out",
            "conv4_block6_out",
            "conv5_block3_out",
        ),
        images="bgr",
    ),
    "inception_resnet_v2": EncoderRecipe(
        "InceptionResNetV2",
        # The inputs of the stem's two poolings have generated names.
        levels=(9, 16, "block35_10_ac", "block17_20_ac", "conv_7b_ac"),
        images="signed",
        smallest_side=75,
        halves_exactly=False,
    ),
}
