"""What all tests share: a quiet TensorFlow, and float32 unless a test says otherwise."""

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def _float32():
    """Puts back the precision that a job may have set for the whole process."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture(scope="session")
def lpips_weights(tmp_path_factory):
    """A file of weights for LPIPS, of the right shapes and of no meaning."""
    shapes = [(11, 11, 3, 64), (5, 5, 64, 192), (3, 3, 192, 384), (3, 3, 384, 256)]
    shapes.append((3, 3, 256, 256))
    random = np.random.default_rng(0)
    arrays = {}
    for number, shape in enumerate(shapes):
        arrays[f"conv{number + 1}_w"] = random.normal(0, 0.05, shape).astype("float32")
        arrays[f"conv{number + 1}_b"] = random.normal(0, 0.05, shape[-1]).astype("float32")
        arrays[f"lin{number}"] = random.uniform(0, 1, shape[-1]).astype("float32")
    path = tmp_path_factory.mktemp("lpips") / "weights.npz"
    np.savez(path, **arrays)
    return str(path)
