"""A network as other programs take it computes the same, without loops."""

import keras
import numpy as np
import pytest

from data.color.lab import AB_SCALE
from errors import InputError
from jobs.export.fixed_network import FixedNetwork
from models.layers.self_attention import SelfAttention
from models.sagan import SAGAN

ARCHITECTURE = {
    **{"filters": 2, "depth": 2, "attention_level": 1, "norm": "batch", "encoder": "none"},
    "discriminator_filters": 2,
}
# Self-attention over 36 x 36 positions, which outside of exported networks is in parts.
SIDE = 72


@pytest.fixture(scope="module")
def lightness():
    return np.random.default_rng(0).uniform(0.0, 100.0, (SIDE, SIDE, 1)).astype("float32")


@pytest.fixture(scope="module", params=[False, True], ids=["without hints", "with hints"])
def generator(request):
    keras.utils.set_random_seed(0)
    generator = SAGAN.build_generator({**ARCHITECTURE, "hints": request.param})
    # An untrained network colors nearly gray, which would hide differences.
    last = generator.get_layer("ab")
    last.set_weights([300 * last.get_weights()[0], np.array([0.1, 0.05])])
    generator.get_layer("attention_up").gamma.assign(1.0)
    return generator


@pytest.fixture(scope="module")
def network(generator):
    return FixedNetwork(generator, SIDE, color_stride=1)


def test_colors_are_those_of_the_generator(network, lightness):
    examples = network.inputs_of(lightness)
    colors = [network.color(inputs) for inputs in examples]
    for inputs, expected in zip(examples, colors, strict=True):
        ab = network.function(*inputs.values())["ab"]
        assert ab.shape == network.output_shape == (1, SIDE, SIDE, 2)
        np.testing.assert_allclose(AB_SCALE * ab, AB_SCALE * expected, atol=1e-3)
    if len(examples) > 1:
        # Hints change the colors.
        assert np.abs(AB_SCALE * (colors[1] - colors[0])).max() > 1.0


def test_the_graph_has_no_loop_and_no_variable(network, generator):
    operations = {
        node.op
        for graph in (network.function.get_concrete_function().graph.as_graph_def(),)
        for node in [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
    }
    assert not operations & {"While", "StatelessWhile", "TensorListReserve", "ReadVariableOp"}
    attention = generator.get_layer("attention_up")
    assert isinstance(attention, SelfAttention)
    assert attention.in_parts


def test_inputs_have_names_and_fixed_shapes(network, generator):
    shapes = {"lightness": (1, SIDE, SIDE, 1)}
    if len(generator.inputs) > 1:
        shapes |= {"hints": (1, SIDE, SIDE, 3), "palette": (1, 529)}
    assert network.shapes == shapes
    signature = network.function.input_signature
    assert {each.name: tuple(each.shape) for each in signature} == shapes


def test_an_image_that_needs_too_much_memory_is_refused():
    generator = SAGAN.build_generator(ARCHITECTURE)
    with pytest.raises(InputError, match=r"images of 512 px need 17\.2 GB at once"):
        FixedNetwork(generator, 512, color_stride=1)
