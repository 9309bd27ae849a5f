"""Colors photographs with a trained network."""

from lazy_imports import lazy_imports

__getattr__ = lazy_imports(__name__, {"PhotoColorizer": "inference.photo_colorizer"})
