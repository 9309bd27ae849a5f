"""Where Keras keeps what it downloads."""

import os
from pathlib import Path


def in_keras_cache(name: str) -> Path:
    """The place of a file of a network in Keras' cache, whether it is there or not.

    Args:
        name: str, of the file.
    """
    home = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    return Path(home, "models", name)
