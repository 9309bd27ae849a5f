"""What all tests share: a quiet TensorFlow, and float32 unless a test says otherwise."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture(autouse=True)
def _float32():
    """Puts back the precision that a job may have set for the whole process."""
    import keras

    keras.mixed_precision.set_global_policy("float32")
    yield
    keras.mixed_precision.set_global_policy("float32")
