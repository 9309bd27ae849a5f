"""The folder in which Keras caches downloaded files."""

import os
from pathlib import Path


def in_keras_cache(name: str) -> Path:
    """The path of a model file in the Keras cache, whether the file exists or not.

    Args:
        name: str, the name of the file.
    """
    return Path(keras_home(), "models", name)


def keras_home() -> str:
    """The path of the folder in which Keras keeps its files, whether it exists or not."""
    home = os.environ.get("KERAS_HOME")
    if home:
        return os.path.expanduser(home)
    # As in Keras: the users of some containers have no home folder.
    home = os.path.expanduser("~")
    return os.path.join(home if os.access(home, os.W_OK) else "/tmp", ".keras")
