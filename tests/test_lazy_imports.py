"""Packages offer their public names without loading Keras, and ask for TensorFlow."""

import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("callbacks", "inference", "losses", "metrics", "models")


def run(*arguments, **variables):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_packages_do_not_load_keras():
    code = f"import sys, {', '.join(PACKAGES)}; sys.exit('keras' in sys.modules)"
    assert run("-c", code).returncode == 0


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("callbacks", "SampleGrid"),
        ("inference", "PhotoColorizer"),
        ("losses", "HingeAdversarial"),
        ("metrics", "KID"),
        ("models", "SAGAN"),
    ],
)
def test_public_names_are_found(package, name):
    module = importlib.import_module(package)
    assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'unknown'"):
        _ = module.unknown


def test_another_backend_is_one_clear_error():
    result = run("-c", "from models import SAGAN", KERAS_BACKEND="jax")
    assert result.stderr.splitlines()[-1] == (
        "ImportError: the colorizer needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow. "
        "Received: the backend jax"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('{"backend": "theano"}', "Keras cannot be imported"),
        ('{"floatx": "float8"}', "Keras cannot be imported (Invalid `floatx` configuration."),
        ('{"image_data_format": "channels_first"}', "the colorizer needs images with the channels"),
    ],
)
def test_unusable_settings_of_keras_are_one_clear_error(tmp_path, settings, message):
    (tmp_path / "keras.json").write_text(settings)
    environment = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    result = run("-c", "from models import SAGAN", **environment)
    assert message in result.stderr.splitlines()[-1]
