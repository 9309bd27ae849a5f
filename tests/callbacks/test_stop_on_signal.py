"""Who stops when, and what is kept."""

import signal
from types import SimpleNamespace

import pytest
import tensorflow as tf

from callbacks.stop_on_signal import StopOnSignal
from errors import InterruptedBySignalError


class TrainingCheckpoint:
    """Remembers what was asked of it."""

    progress = SimpleNamespace(epoch=0, total_steps=7)
    folder = SimpleNamespace(resume_command="go on")

    def __init__(self):
        self.calls = []

    def save(self):
        self.calls.append("save")
        return "checkpoint"


@pytest.fixture
def parts():
    """The callback of one of several workers, its watch, its model and what was called."""
    watch, checkpoints = SimpleNamespace(received=None), TrainingCheckpoint()
    model = SimpleNamespace(wants_to_stop=tf.Variable(False), stop_votes=tf.Variable(0))
    callback = StopOnSignal(watch, checkpoints, lambda: checkpoints.calls.append("wait"))
    callback.set_model(model)
    return callback, watch, model, checkpoints.calls


def test_alone_it_stops_at_once():
    watch, checkpoints = SimpleNamespace(received=None), TrainingCheckpoint()
    callback = StopOnSignal(watch, checkpoints)
    callback.on_train_batch_end(0)
    watch.received = signal.SIGINT
    with pytest.raises(
        InterruptedBySignalError, match="in epoch 1 after 7 steps; saved in checkpoint"
    ):
        callback.on_test_batch_end(0)
    assert checkpoints.calls == ["save"]


def test_one_of_several_tells_the_others_first(parts):
    callback, watch, model, calls = parts
    callback.on_train_batch_end(0)
    assert not model.wants_to_stop
    watch.received = signal.SIGINT
    callback.on_train_batch_end(1)
    assert model.wants_to_stop
    assert calls == []
    # What the next step makes of it, on all workers.
    model.stop_votes.assign(2)
    with pytest.raises(InterruptedBySignalError) as caught:
        callback.on_train_batch_end(2)
    assert caught.value.exit_status == 130
    # None may end before the checkpoint is written.
    assert calls == ["save", "wait"]


def test_one_that_received_nothing_stops_with_the_others(parts):
    callback, _, model, calls = parts
    model.stop_votes.assign(1)
    with pytest.raises(InterruptedBySignalError) as caught:
        callback.on_test_batch_end(0)
    assert caught.value.exit_status == 143
    assert calls == ["save", "wait"]
