"""The networks for recognition that may begin a generator: one list for all colorizers.

A new backbone is one entry. Keras is not imported here, so that the command line can name them at
once.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class EncoderRecipe:
    """How a network serves as an encoder.

    Attributes:
        name: str, of what builds it in the library.
        levels: the layers whose outputs are the features at 1/2, 1/4, 1/8, ... of the size: by
            name, or by number where Keras makes up a name anew each time.
        images: str, how it was trained to see images: `signed` (RGB in [-1, 1]), `bgr` (blue,
            green, red in [0, 255] without ImageNet's mean) or `standardized` (RGB in [0, 1]
            without the mean, in units of the deviation).
        library: str, `keras.applications` or `keras_hub`, which is installed by few.
        preset: str, of KerasHub, the name of ImageNet's weights.
        options: of KerasHub, what builds the network without weights.
        smallest_side: int, of the images that it takes; smaller ones are enlarged.
        halves_exactly: bool, whether sizes that can be halved are: convolutions without padding
            lose a border each time.
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
        # What the two poolings of the stem are given has no name of its own.
        levels=(9, 16, "block35_10_ac", "block17_20_ac", "conv_7b_ac"),
        images="signed",
        smallest_side=75,
        halves_exactly=False,
    ),
}
