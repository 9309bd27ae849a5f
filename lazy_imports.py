"""Public names of packages, which are imported on first use.

`python run.py --help` imports some of these packages and is answered before Keras is loaded.
"""

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from errors import first_line


def lazy_imports(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """The `__getattr__` of a package.

    Args:
        package: str, the package's `__name__`.
        modules: mapping from public names to their modules.

    Returns:
        Function from a name to its object.

    Raises:
        AttributeError: when called, no module has the name.
        ImportError: when called, Keras does not use TensorFlow.
    """

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        require_tensorflow()
        return getattr(importlib.import_module(modules[name]), name)

    return find


def require_tensorflow() -> None:
    """Checks that Keras uses TensorFlow, whose gradient tapes and pipelines the project needs.

    Raises:
        ImportError: it uses another backend, or images with the channels first.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    layout = "channels_last"
    if "keras" in sys.modules or backend == "tensorflow":
        try:
            # The file `keras.json` may choose another backend.
            config = importlib.import_module("keras").config
        except Exception as error:
            raise ImportError(
                f"Keras cannot be imported ({first_line(error)}); look at its settings in "
                "keras.json, and set KERAS_BACKEND=tensorflow"
            ) from error
        backend, layout = config.backend(), config.image_data_format()
    if backend != "tensorflow":
        raise ImportError(
            "the colorizer needs Keras on TensorFlow; set KERAS_BACKEND=tensorflow. Received: the "
            f"backend {backend}"
        )
    if layout != "channels_last":
        raise ImportError(
            "the colorizer needs images with the channels last; call keras.config."
            f'set_image_data_format("channels_last"). Received: {layout}'
        )
