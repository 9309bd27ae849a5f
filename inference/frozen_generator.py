"""Generators as graphs and arrays, which start much faster than layers."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import KerasTensor as Tensor

from data.atomic import write_beside

# No layer has these names.
_INPUT, _OUTPUT = "input_{}_of_frozen_generator", "output_of_frozen_generator"
_WEIGHT = "weight_{}_of_frozen_generator"
_GRAPH = "graph"


class FrozenGenerator:
    """A generator for images of one size as a graph and its weights.

    Hundreds of layers take seconds to build, to load and to trace; the graph that was traced is
    imported in half a second. The results are those of the generator to the last bit.

    Args:
        graph: `tf.compat.v1.GraphDef`, as made by `freeze`.
        weights: sequence of arrays, in the order of the graph.

    Example:
        generator = keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(2, 1)])
        frozen = FrozenGenerator.freeze(generator, side=64)
        ab = frozen(np.zeros((3, 64, 64, 1), "float32"))    # (3, 64, 64, 2)
    """

    def __init__(self, graph: tf.compat.v1.GraphDef, weights: Sequence[np.ndarray]):
        self._graph = graph
        self._weights = weights

    @classmethod
    def freeze(cls, generator: keras.Model, side: int) -> "FrozenGenerator":
        """Traces a generator.

        Args:
            generator: `keras.Model` from lightness, or from lightness, hints and palettes, to ab,
                all scaled for networks.
            side: int, the height and width of the lightness.
        """
        variables = [*generator.trainable_variables, *generator.non_trainable_variables]
        weights = [np.asarray(variable) for variable in variables]
        trainable = len(generator.trainable_variables)

        def color(inputs, weights):
            ab, _ = generator.stateless_call(
                weights[:trainable],
                weights[trainable:],
                inputs if len(inputs) > 1 else inputs[0],
                training=False,
            )
            return tf.identity(ab, name=_OUTPUT)

        signature = [
            [
                tf.TensorSpec(_shape(given, side), tf.float32, _INPUT.format(number))
                for number, given in enumerate(generator.inputs)
            ],
            [
                tf.TensorSpec(weight.shape, weight.dtype, _WEIGHT.format(number))
                for number, weight in enumerate(weights)
            ],
        ]
        function = tf.function(color, autograph=False, input_signature=signature)
        return cls(function.get_concrete_function().graph.as_graph_def(), weights)

    @classmethod
    def load(cls, path: str | os.PathLike) -> "FrozenGenerator":
        """Loads a file that `save` wrote.

        Raises:
            OSError: the file does not exist or cannot be read.
            ValueError: the file is damaged.
        """
        try:
            with np.load(path) as arrays:
                graph = tf.compat.v1.GraphDef.FromString(arrays[_GRAPH].tobytes())
                weights = [arrays[_WEIGHT.format(number)] for number in range(len(arrays) - 1)]
        except OSError:
            raise
        # Each array has a checksum, and a reader of a damaged file raises exceptions of any type.
        except Exception as error:
            raise ValueError(
                f"`path` should be the file of a frozen generator. Received: {path} ({error})"
            ) from error
        return cls(graph, weights)

    def save(self, path: str | os.PathLike) -> None:
        """Saves the graph and the weights as .npz, completely or not at all.

        Raises:
            OSError: the file cannot be written.
        """
        arrays: dict[str, Any] = {
            _WEIGHT.format(number): weight for number, weight in enumerate(self._weights)
        }
        arrays[_GRAPH] = np.frombuffer(self._graph.SerializeToString(), "uint8")
        with write_beside(Path(path)) as temporary, open(temporary, "wb") as file:
            np.savez(file, **arrays)

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Colors a batch.

        Call it eagerly: inside another graph TensorFlow does not optimize it, and it takes more
        memory.

        Args:
            *inputs: float32 tensor of lightness of shape (batch, side, side, 1), and, if the
                generator takes them, one of hints of shape (batch, side, side, 3) and one of
                palettes of shape (batch, 529).

        Returns:
            float32 tensor, the ab of the generator.
        """
        return self._function(*map(tf.convert_to_tensor, inputs))

    def get_concrete_function(self) -> Callable[..., Tensor]:
        """Imports the graph, unless it is already imported; named as that of `tf.function`."""
        return self._function

    @functools.cached_property
    def _function(self) -> Callable[..., Tensor]:
        weights = [tf.constant(weight) for weight in self._weights]

        nodes = {node.name: node for node in self._graph.node}
        names: list[str] = []
        while (name := _INPUT.format(len(names))) in nodes:
            names.append(name)

        def color(*inputs):
            # An identity makes a tensor from outside part of the graph.
            tensors = {
                f"{_WEIGHT.format(number)}:0": tf.identity(weight)
                for number, weight in enumerate(weights)
            }
            tensors |= {f"{name}:0": given for name, given in zip(names, inputs, strict=True)}
            [ab] = tf.graph_util.import_graph_def(
                self._graph,
                input_map=tensors,
                return_elements=[f"{_OUTPUT}:0"],
                name="",
            )
            return ab

        shapes = (tf.TensorShape(nodes[name].attr["shape"].shape) for name in names)
        # Unlike `tf.function`, this registers the functions in the graph, such as loops.
        return tf.compat.v1.wrap_function(
            color, [tf.TensorSpec(shape, tf.float32) for shape in shapes]
        )


def _shape(given: Tensor, side: int) -> list[int | None]:
    """The shape of an input for any number of images of this height and width."""
    return [None, *[side] * (len(given.shape) - 2), given.shape[-1]]
