"""When each worker stops after a signal, and what is saved."""

import signal
from types import SimpleNamespace

import pytest
import tensorflow as tf

from callbacks.stop_on_signal import StopOnSignal
from errors import InterruptedBySignalError


class TrainingCheckpoint:
    """Records its calls."""

    progress = SimpleNamespace(epoch=0, total_steps=7)

    def __init__(self):
        self.calls = []

    def save(self):
        self.calls.append("save")
        return "checkpoint"


@pytest.fixture
def parts():
    """The callback of one of several workers, its watch, its model and the recorded calls."""
    watch, checkpoint = SimpleNamespace(received=None), TrainingCheckpoint()
    model = SimpleNamespace(wants_to_stop=tf.Variable(False), stop_votes=tf.Variable(0))
    callback = StopOnSignal(watch, checkpoint, lambda: checkpoint.calls.append("wait"))
    callback.set_model(model)
    return callback, watch, model, checkpoint.calls


def test_a_single_worker_stops_at_once():
    watch, checkpoint = SimpleNamespace(received=None), TrainingCheckpoint()
    callback = StopOnSignal(watch, checkpoint)
    callback.on_train_batch_end(0)
    watch.received = signal.SIGINT
    with pytest.raises(
        InterruptedBySignalError, match="in epoch 1 after 7 steps; saved in checkpoint"
    ):
        callback.on_test_batch_end(0)
    assert checkpoint.calls == ["save"]


def test_one_of_several_workers_tells_the_others_before_it_stops(parts):
    callback, watch, model, calls = parts
    callback.on_train_batch_end(0)
    assert not model.wants_to_stop
    watch.received = signal.SIGINT
    callback.on_train_batch_end(1)
    assert model.wants_to_stop
    assert calls == []
    # The next step sums the votes of all workers.
    model.stop_votes.assign(2)
    with pytest.raises(InterruptedBySignalError) as caught:
        callback.on_train_batch_end(2)
    assert caught.value.exit_status == 130
    # No worker may end before the checkpoint is written.
    assert calls == ["save", "wait"]


def test_a_worker_that_received_no_signal_stops_with_the_others(parts):
    callback, _, model, calls = parts
    model.stop_votes.assign(1)
    with pytest.raises(InterruptedBySignalError) as caught:
        callback.on_test_batch_end(0)
    assert caught.value.exit_status == 143
    assert calls == ["save", "wait"]
