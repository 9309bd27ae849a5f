"""Ctrl-C and SIGTERM: finish the step, keep everything, say how to go on."""

import signal

import keras

from callbacks.snapshots import Snapshots
from errors import InterruptedBySignalError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal(keras.callbacks.Callback):
    """Ends training after the step in work, with a snapshot.

    While training runs, the first SIGINT or SIGTERM is remembered; after the step, or the
    validation batch, a snapshot is written and `InterruptedBySignalError` raised. A second SIGINT
    interrupts at once.

    Args:
        snapshots: `Snapshots`, which must stand before this one in the list of callbacks.
    """

    def __init__(self, snapshots: Snapshots):
        super().__init__()
        self.snapshots = snapshots
        self.received: int | None = None
        self._earlier = {}

    def install(self):
        """Takes over the signals. Returns self, for `with` by `contextlib.closing`."""
        self._earlier = {number: signal.signal(number, self._remember) for number in _SIGNALS}
        return self

    def close(self):
        """Gives the signals back."""
        for number, handler in self._earlier.items():
            signal.signal(number, handler)

    def on_train_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def on_test_batch_end(self, batch, logs=None):
        self._stop_if_asked()

    def _remember(self, number, frame):
        if self.received == signal.SIGINT == number:
            raise KeyboardInterrupt
        self.received = number
        print(f"\n{signal.Signals(number).name}: finishing this step ...", flush=True)

    def _stop_if_asked(self):
        if self.received is None:
            return
        place = self.snapshots.save()
        progress = self.snapshots.progress
        raise InterruptedBySignalError(
            self.received,
            f"stopped in epoch {progress.epoch + 1} after {progress.total_steps} steps; kept in "
            f"{place}; go on with --load_weights",
        )
