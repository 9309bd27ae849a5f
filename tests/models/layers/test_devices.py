"""The features of a processor, and the precision that suits it."""

import pytest
import tensorflow as tf

from models.layers import devices


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """Returns a function that simulates a file about the processor, on a machine without a GPU."""
    path = tmp_path / "cpuinfo"
    monkeypatch.setattr(devices, "CPU_INFORMATION", path)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: [])
    return path.write_text


@pytest.mark.parametrize(
    ("content", "flags", "precision"),
    [
        ("model : a\nflags : fpu avx2\n\nmodel : a\nflags : fpu avx2\n", "fpu avx2", "float32"),
        ("flags\t\t: avx512_bf16\n", "avx512_bf16", "mixed_bfloat16"),
        # Of an ARM processor.
        ("Features : asimd bf16\n", "asimd bf16", "mixed_bfloat16"),
        ("bugs : bf16\n", "", "float32"),
    ],
)
def test_flags_are_those_of_all_cores(processor, content, flags, precision):
    processor(content)
    assert devices.processor_flags() == set(flags.split())
    assert devices.fastest_precision() == precision


def test_other_systems_have_no_file_of_flags(processor):
    assert devices.processor_flags() == set()
