"""TensorFlow's import, and `--precision`, whose default depends on the machine."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from jobs.common import runtime


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Returns a function that simulates processor flags and GPUs of these compute capabilities."""

    def simulate(flags="", gpus=()):
        information = tmp_path / "cpuinfo"
        information.write_text(f"flags : fpu {flags} sse\n")
        monkeypatch.setattr("models.layers.devices.CPU_INFORMATION", information)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind=None: list(gpus))
        monkeypatch.setattr(
            tf.config.experimental,
            "get_device_details",
            lambda gpu: {"compute_capability": gpu},
        )

    yield simulate
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize(
    ("flags", "gpus", "policy"),
    [
        ("avx2", [], "float32"),
        ("avx512_bf16", [], "mixed_bfloat16"),
        ("amx_bf16", [], "mixed_bfloat16"),
        ("avx512_bf16", [(7, 5)], "float32"),
        ("avx2", [(8, 0), (9, 0)], "mixed_bfloat16"),
        ("avx2", [(8, 0), (7, 0)], "float32"),
    ],
)
def test_auto_is_bfloat16_where_it_is_native(machine, flags, gpus, policy):
    machine(flags, gpus)
    runtime.prepare_keras("auto", seed=0)
    assert keras.mixed_precision.dtype_policy().name == policy


def test_an_explicit_precision_is_used(machine):
    machine("amx_bf16")
    runtime.prepare_keras("float32", seed=0)
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_auto_is_float32_without_processor_information(machine, monkeypatch, tmp_path):
    machine()
    monkeypatch.setattr("models.layers.devices.CPU_INFORMATION", tmp_path / "absent")
    runtime.prepare_keras("auto", seed=0)
    assert keras.mixed_precision.dtype_policy().name == "float32"


def lines_of_a_new_process(home):
    """What a program prints that imports TensorFlow quietly, with this folder of Keras."""
    program = """
import sys
from jobs.common.runtime import import_tensorflow_quietly
import_tensorflow_quietly()
print("matplotlib" in sys.modules)
from matplotlib.figure import Figure
print("matplotlib" in sys.modules)
import keras
print(keras.config.backend(), keras.config.image_data_format(), keras.config.floatx())
print(keras.config.epsilon(), keras.config.dtype_policy().name, keras.config.max_epochs())
print(keras.utils.get_file("x.txt", origin="file:///dev/null", cache_subdir="models"))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            **{"KERAS_HOME": str(home), "KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "1"},
        },
        cwd=Path(runtime.__file__).parents[2],
    )
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def keras_home(tmp_path_factory):
    """A folder of Keras that does not exist yet."""
    return tmp_path_factory.mktemp("home") / "keras"


@pytest.fixture(scope="module")
def lines(keras_home):
    return lines_of_a_new_process(keras_home)


def test_matplotlib_is_imported_only_when_it_is_needed(lines):
    assert lines[:2] == ["False", "True"]


def assert_defaults_are_used(lines, home):
    assert lines[2] == "tensorflow channels_last float32"
    assert lines[3] == "1e-07 float32 None"
    # Downloaded files are still found in the folder of Keras.
    assert lines[-1] == str(home / "models" / "x.txt")


def test_no_settings_of_keras_are_written(lines, keras_home):
    assert_defaults_are_used(lines, keras_home)
    assert not (keras_home / "keras.json").exists()


@pytest.mark.parametrize(
    "settings",
    [
        '{"image_data_format": "channels_first", "floatx": "float16", "epsilon": "small"}',
        pytest.param("no JSON", marks=pytest.mark.slow),
    ],
)
def test_settings_of_other_programs_are_not_read(tmp_path, settings):
    (tmp_path / "keras.json").write_text(settings)
    assert_defaults_are_used(lines_of_a_new_process(tmp_path), tmp_path)
    assert (tmp_path / "keras.json").read_text() == settings
