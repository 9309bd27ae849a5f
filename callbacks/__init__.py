"""Callbacks of trainings."""

from lazy_imports import lazy_imports

__getattr__ = lazy_imports(
    __name__,
    {
        "FrozenEncoder": "callbacks.frozen_encoder",
        "Phases": "callbacks.phases",
        "SampleGrid": "callbacks.sample_grid",
    },
)
