"""Convolutions with large kernels have the outputs and gradients of those of Keras."""

import keras
import pytest

from models.layers.wide_convolution import WideConv2D
from tests.models.layers.wide import HALVING, OPTIONS, Pair


def pair(**options):
    return Pair(WideConv2D, keras.layers.Conv2D, **options)


@OPTIONS
def test_equals_keras(all_are_large, patched_shapes, options):
    pair(**options).assert_equal()
    # Only our layer extracts patches.
    assert len(patched_shapes) == 1


@pytest.mark.usefixtures("all_are_large")
def test_the_gradient_is_the_same_in_a_graph_of_unknown_size():
    pair(**HALVING).assert_same_gradient_in_a_graph_of_unknown_size()


@pytest.mark.usefixtures("all_are_large")
def test_half_precision_trains_float32_weights():
    pair(**HALVING, dtype="mixed_bfloat16").assert_half_precision_trains_float32_weights()


def test_small_kernels_are_left_to_keras(patched_shapes):
    pair(**HALVING).assert_equal_to_the_last_bit()
    assert patched_shapes == []
