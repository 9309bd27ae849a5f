"""Imports TensorFlow quietly and sets the precision that suits the machine."""

import contextlib
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata

from data.downloads import limit_waiting
from data.keras_cache import keras_home
from errors import InputError
from lazy_imports import require_tensorflow

# They would end a training early, or load a library that is not needed.
_OTHER_VARIABLES_OF_KERAS = ("KERAS_MAX_EPOCHS", "KERAS_MAX_STEPS_PER_EPOCH", "KERAS_NNX_ENABLED")


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow and Keras without the notices that their libraries print.

    The settings that this program needs are set for this process alone, whatever the environment
    and the file `keras.json`, which serve other programs too, say.

    Raises:
        InputError: Keras was imported before, with another backend.
    """
    # Failures in TensorFlow raise exceptions; its log messages are for its developers.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    for name in _OTHER_VARIABLES_OF_KERAS:
        os.environ.pop(name, None)
    with silent_unless_it_fails(), _without_matplotlib(), _without_keras_json():
        import tensorflow as tf

        # The first listing of the devices prints notices too.
        tf.config.list_physical_devices()
        import keras
    tf.get_logger().setLevel("ERROR")
    limit_waiting()
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    try:
        require_tensorflow()
    except ImportError as error:
        raise InputError(str(error)) from error


def prepare_keras(precision: str, seed: int, deterministic: bool = False) -> None:
    """Sets the precision of the networks that are built from now on, and the global seed.

    Args:
        precision: str, a dtype policy of Keras, or `auto`: `mixed_bfloat16` where bfloat16 is
            native, else `float32`.
        seed: int, the seed of all random numbers that have no seed of their own.
        deterministic: bool, restricts TensorFlow to operations whose results are identical to the
            last bit in every run. Defaults to `False`.
    """
    import keras

    from models.layers.devices import fastest_precision

    # Keras warns when a validation set of unknown length ends. Ours has an unknown length because
    # images may be skipped, and the training stream never ends.
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    keras.mixed_precision.set_global_policy(
        fastest_precision() if precision == "auto" else precision
    )
    keras.utils.set_random_seed(seed)
    if deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


@contextlib.contextmanager
def _without_keras_json() -> Iterator[None]:
    """Keeps Keras from reading, or writing, `keras.json`: it raises an error for unknown values."""
    if "keras" in sys.modules:
        yield
        return
    given = os.environ.get("KERAS_HOME")
    with tempfile.TemporaryDirectory() as empty:
        os.environ["KERAS_HOME"] = empty
        try:
            yield
        finally:
            del os.environ["KERAS_HOME"]
            if given is not None:
                os.environ["KERAS_HOME"] = given
    # As Keras does, which downloads to a temporary folder if there is no such folder.
    with contextlib.suppress(OSError):
        os.makedirs(keras_home(), exist_ok=True)
    # Where Keras looks for downloaded files; there is no public way to set it.
    sys.modules["keras.src.backend.config"]._KERAS_DIR = keras_home()  # type: ignore[attr-defined]


@contextlib.contextmanager
def _without_matplotlib() -> Iterator[None]:
    """Makes Keras, which imports Matplotlib for figures of its own, start 0.4 s earlier."""
    is_imported = "matplotlib" in sys.modules
    if not is_imported:
        # With this entry, which its type does not foresee, an import raises an ImportError.
        sys.modules["matplotlib"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if not is_imported:
            del sys.modules["matplotlib"]


@contextlib.contextmanager
def silent_unless_it_fails() -> Iterator[None]:
    """Discards output to standard error, at the level of the file descriptor.

    TensorFlow's libraries write there before any of their log levels is read. If the block raises,
    the output is written after all.
    """
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(original, 2)
            captured.seek(0)
            sys.stderr.write(captured.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


def installed_versions() -> dict[str, str]:
    """The versions of Python and of the packages that affect the results, by name."""
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }


def describe_device() -> str:
    """A phrase for the device that the networks run on, such as "on the CPU"."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "on the CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"on {details.get('device_name', 'a GPU')}"
