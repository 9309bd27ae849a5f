"""A network as other programs take it: for images of one size, with its weights inside."""

import contextlib
from collections.abc import Iterator, Mapping

import keras
import numpy as np
import tensorflow as tf

from data.color.ab_bins import BINS
from data.color.lab import LIGHTNESS_SCALE
from errors import InputError
from inference.hints import Hint, draw_squares, place_hints
from models.layers.self_attention import SelfAttention

# In a tensor of 1 GB of float32: self-attention at 512 px with the default networks.
_MOST_ELEMENTS = 2**28

# How the network's inputs are called outside, in their order.
INPUTS = ("lightness", "hints", "palette")
OUTPUT = "ab"


class FixedNetwork:
    """A generator for one image of one size, as a graph with constant weights.

    Other programs read neither loops nor open sizes well, so self-attention is computed whole.

    Args:
        generator: `keras.Model` from lightness, or from lightness, hints and palettes, to ab, all
            scaled for networks.
        side: int, the height and width of the image.
        color_stride: int, how many times coarser than the lightness the colors are.

    Attributes:
        function: `tf.function` from the tensors of `shapes` to a dict with `ab`.
        shapes: dict, by name the shapes of the inputs.
        output_shape: tuple, the shape of `ab`.

    Raises:
        InputError: images of this size need too much memory.
    """

    def __init__(self, generator: keras.Model, side: int, color_stride: int):
        self.side = side
        self.shapes: dict[str, tuple[int, ...]] = {
            name: (1, side, side, given.shape[-1]) if len(given.shape) == 4 else (1, BINS)
            for name, given in zip(INPUTS, generator.inputs, strict=False)
        }
        self._generator = generator
        self._color_stride = color_stride
        self.function = _with_constant_weights(generator, self.shapes)
        graph = self.function.get_concrete_function()
        self.output_shape = tuple(graph.structured_outputs[OUTPUT].shape)
        largest = max(
            _elements(tensor) for op in graph.graph.get_operations() for tensor in op.outputs
        )
        if largest > _MOST_ELEMENTS:
            raise InputError(
                f"images of {side} px need {4 * largest / 1e9:.1f} GB at once in the exported "
                "network, whose self-attention is computed whole; give a smaller size"
            )

    def inputs_of(self, lightness: np.ndarray) -> list[dict[str, np.ndarray]]:
        """The inputs of the network for an image: without hints, and with some if it takes them.

        Args:
            lightness: float32 array of shape (side, side, 1), L in [0, 100].
        """
        empty = {name: np.zeros(shape, "float32") for name, shape in self.shapes.items()}
        without = {**empty, "lightness": lightness[None] / LIGHTNESS_SCALE - 1.0}
        if "hints" not in self.shapes:
            return [without]
        hints = [Hint(0.3, 0.6, "navy", 0.1), Hint(0.7, 0.3, "#a03020")]
        squares = place_hints(hints, self.side, self.side, self.side, self._color_stride)
        palette = np.zeros((1, BINS), "float32")
        palette[0, [BINS // 2, BINS // 2 + 40]] = 0.75, 0.25
        hinted = {"hints": draw_squares(squares, self.side)[None], "palette": palette}
        return [without, {**without, **hinted}]

    def color(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """The ab of the generator itself, in Keras, for the tensors of `shapes`."""
        tensors = list(inputs.values())
        return np.asarray(self._generator(tensors if len(tensors) > 1 else tensors[0]))


def _with_constant_weights(
    generator: keras.Model, shapes: Mapping[str, tuple[int, ...]]
) -> tf.types.experimental.PolymorphicFunction:
    variables = [*generator.trainable_variables, *generator.non_trainable_variables]
    values = [np.asarray(variable) for variable in variables]
    count = len(generator.trainable_variables)

    def color(*inputs):
        # LiteRT's converter cannot compute with variables that are reshaped, as of spectral norms.
        weights = [tf.constant(value) for value in values]
        # Here, because other programs trace the function again.
        with _attending_at_once(generator):
            ab, _ = generator.stateless_call(
                weights[:count],
                weights[count:],
                [*inputs] if len(inputs) > 1 else inputs[0],
                training=False,
            )
        return {OUTPUT: ab}

    signature = [tf.TensorSpec(shape, tf.float32, name) for name, shape in shapes.items()]
    return tf.function(color, autograph=False, input_signature=signature)


@contextlib.contextmanager
def _attending_at_once(generator: keras.Model) -> Iterator[None]:
    """Computes self-attention whole, without its loop."""
    in_parts = [
        layer
        for layer in generator._flatten_layers()
        if isinstance(layer, SelfAttention) and layer.in_parts
    ]
    for layer in in_parts:
        layer.in_parts = False
    try:
        yield
    finally:
        for layer in in_parts:
            layer.in_parts = True


def _elements(tensor: tf.Tensor) -> int:
    return tensor.shape.num_elements() or 0
