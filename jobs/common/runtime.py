"""TensorFlow, started quietly and set to the precision that suits the machine."""

import contextlib
import os
import platform
import sys
import tempfile
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

# Only Linux tells in a file what the processor can; elsewhere float32 is the safe choice.
_CPU_INFORMATION = Path("/proc/cpuinfo")


def import_tensorflow_quietly() -> None:
    """Imports TensorFlow without the notices that its libraries print."""
    # What goes wrong in TensorFlow comes as an exception; what it logs is for its authors.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _silent_unless_it_fails():
        import tensorflow as tf

        # The first look at the devices prints again, once.
        tf.config.list_physical_devices()
    tf.get_logger().setLevel("ERROR")


def prepare_keras(precision: str, seed: int, deterministic: bool = False) -> None:
    """Sets the precision of the networks that are built from now on, and the seed.

    Args:
        precision: str, a policy of Keras, or `auto`: bfloat16 where it is native, else float32.
        seed: int, of the random numbers that have no seed of their own.
        deterministic: bool, lets TensorFlow take only operations that give the same to the last
            bit in every run.
    """
    import keras

    # Keras warns when a validation set ends whose length it could not know beforehand; ours may
    # be shorter than its list of files, and the training stream never ends.
    warnings.filterwarnings("ignore", message="Your input ran out of data")
    keras.mixed_precision.set_global_policy(
        _fastest_precision() if precision == "auto" else precision
    )
    keras.utils.set_random_seed(seed)
    if deterministic:
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()


def _fastest_precision() -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capabilities = [
            tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))
            for gpu in gpus
        ]
        # bfloat16 came with Ampere.
        native = min(capabilities) >= (8, 0)
    else:
        native = _processor_has_bfloat16()
    return "mixed_bfloat16" if native else "float32"


def _processor_has_bfloat16() -> bool:
    if not _CPU_INFORMATION.exists():
        return False
    flags = _CPU_INFORMATION.read_text().split()
    # The last is ARM's.
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", "bf16"))


@contextlib.contextmanager
def _silent_unless_it_fails() -> Iterator[None]:
    """Holds back what is written to standard error, at the level of the file descriptor.

    TensorFlow's libraries write there before any of their log levels is read.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            written.seek(0)
            sys.stderr.write(written.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def installed_versions() -> dict[str, str]:
    """The versions of Python and of what numbers depend on, by name."""
    packages = ("tensorflow", "keras", "numpy", "pillow")
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in packages},
    }


def describe_device() -> str:
    """The device that networks run on, in words."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "on the CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return f"on {details.get('device_name', 'a GPU')}"
