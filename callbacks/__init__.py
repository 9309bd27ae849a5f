"""Callbacks of trainings."""

from lazy_imports import lazy_imports

__getattr__ = lazy_imports(
    __name__,
    {"sample_grid": ("SampleGrid",), "phases": ("Phases",), "frozen_encoder": ("FrozenEncoder",)},
)
