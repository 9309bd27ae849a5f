"""Weights of 8 bits make a small file; how near its colors are is tested with the formats."""

import pytest

from jobs.export.formats import FORMATS


@pytest.mark.parametrize("name", ["onnx", "litert"])
def test_weights_of_8_bits_are_a_quarter(name, exported):
    whole, small = (exported(name, quantize) / FORMATS[name].file for quantize in (False, True))
    assert small.stat().st_size < 0.3 * whole.stat().st_size
