"""Colors photographs with a trained network."""

from lazy_imports import lazy_imports

# `pyproject.toml` reads it.
__version__ = "1.0"

__getattr__ = lazy_imports(
    __name__,
    {
        "Hint": "inference.hints",
        "HintsFile": "inference.hints_file",
        "PhotoColorizer": "inference.photo_colorizer",
    },
)
