"""Colors chosen from a palette."""

from typing import Any

import keras
from keras import ops

from data.color.ab_bins import BIN_CENTERS

# The share of a color that the palette does not have; of one that it has, the least is 1/16,384.
_ABSENT = 1e-5


@keras.saving.register_keras_serializable("colorizer")
class PaletteColors(keras.layers.Layer):
    """The expected color of each position, given which colors the image has.

    By Bayes' rule the share h_k of each color k in the image is the prior of the network's logits
    z_k, which say how well the color fits what is there:

        ab(x) = sum_k softmax_k(z_k(x) + log(h_k + 1e-5)) ab_k

    Inputs are a list of two tensors: logits of shape (batch, height, width, 529), one for each bin
    of `data.color.ab_bins`, and the palette of shape (batch, 529), shares that sum to 1, or zeros
    where none is given: then all colors are equally likely. The output is float32 of shape (batch,
    height, width, 2), ab scaled for networks (ab/110).

    Reference: Zhang, Isola, Efros, "Colorful Image Colorization", ECCV 2016, for the bins; Zhang et
    al., "Real-Time User-Guided Image Colorization with Learned Deep Priors", SIGGRAPH 2017, section
    3.3, for histograms as global hints.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        logits, palette = inputs
        prior = ops.log(palette + _ABSENT)
        shares = ops.softmax(logits + prior[:, None, None], axis=-1)
        return ops.matmul(shares, ops.convert_to_tensor(BIN_CENTERS, "float32"))

    def compute_output_shape(self, input_shape):
        return (*input_shape[0][:-1], 2)
