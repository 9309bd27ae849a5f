"""Recomputes the batch statistics of the EMA generator."""

from collections.abc import Callable, Iterable

import keras


class BatchStatistics(keras.callbacks.Callback):
    """Recomputes the batch statistics of the EMA generator at the end of an epoch.

    It runs before validation, and must come before all callbacks that use or save the EMA
    generator.

    Args:
        batches: callable that returns an iterable of batches of lightness, which must depend only
            on the number of training steps.
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
        # Without validation, `on_test_begin` is not called.
        self._measure()

    def _measure(self):
        if not self._is_measured:
            self.model.update_batch_statistics(self.batches())
            self._is_measured = True
