"""Measures the statistics that color before the weights are judged, shown and kept."""

from collections.abc import Callable, Iterable

import keras


class BatchStatistics(keras.callbacks.Callback):
    """Lets the EMA generator measure the statistics of its normalization at the end of an epoch.

    It stands before all callbacks that look at the EMA generator or keep it.

    Args:
        batches: gives batches of lightness to measure with, after any number of steps the same.
    """

    def __init__(self, batches: Callable[[], Iterable]):
        super().__init__()
        self.batches = batches
        self._is_measured = False

    def on_epoch_begin(self, epoch, logs=None):
        self._is_measured = False

    def on_test_begin(self, logs=None):
        self._measure()

    def on_epoch_end(self, epoch, logs=None):
        # Where there is no validation.
        self._measure()

    def _measure(self):
        if not self._is_measured:
            self.model.update_batch_statistics(self.batches())
            self._is_measured = True
