"""Where Keras keeps what it downloads."""

import os
from pathlib import Path


def in_keras_cache(name: str) -> Path:
    """The place of a file of a network in Keras' cache, whether it is there or not.

    Args:
        name: str, of the file.
    """
    return Path(_home(), "models", name)


def _home() -> str:
    home = os.environ.get("KERAS_HOME")
    if home:
        return os.path.expanduser(home)
    # As in Keras: some users of containers have no home.
    home = os.path.expanduser("~")
    return os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
