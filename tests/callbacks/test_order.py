"""Callbacks run in the order in which they use each other's results."""

import importlib
import inspect
import pkgutil

import keras
import pytest

import callbacks
from callbacks.order import ORDER, in_order
from callbacks.phases import Phases
from callbacks.training_progress_bar import TrainingProgressBar
from models.batch_statistics import BatchStatistics


def test_every_callback_has_a_place():
    found = set()
    for module in pkgutil.iter_modules(callbacks.__path__, "callbacks."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, keras.callbacks.Callback) and kind.__module__ == module.name:
                found.add(kind)
    assert found | {BatchStatistics} == set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


def test_callbacks_are_sorted():
    first, second = Phases(1), Phases(2)
    bar, statistics = TrainingProgressBar(1), BatchStatistics(list)
    assert in_order([bar, first, statistics, second]) == [statistics, first, second, bar]


def test_a_callback_without_a_place_is_refused():
    with pytest.raises(ValueError, match=r"Received: .*History"):
        in_order([keras.callbacks.History()])
