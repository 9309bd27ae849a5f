"""Steps and epochs are counted, and checkpoints written when they are due, with means of losses."""

from types import SimpleNamespace

import keras
import pytest

from callbacks.training_checkpoint import TrainingCheckpoint
from errors import DivergedError
from models.checkpoints.progress import Progress


class Store:
    """Records the progress that is saved with each checkpoint."""

    path = "checkpoints"

    def __init__(self):
        self.saved = []

    def save(self, model, progress, network, keep):
        self.saved.append((progress.epoch, progress.step, progress.losses))
        return f"checkpoint {len(self.saved)}"


@pytest.fixture
def store():
    return Store()


@pytest.fixture
def model():
    return SimpleNamespace(
        training_means={"l1": keras.metrics.Mean(name="l1")}, is_finite=lambda: True
    )


@pytest.fixture
def start(store, model):
    def call(progress=None, **options):
        callback = TrainingCheckpoint(
            SimpleNamespace(checkpoints=store), progress or Progress(log_dir=""), {}, **options
        )
        callback.set_model(model)
        return callback

    return call


def train(callback, losses):
    for batch, loss in enumerate(losses):
        callback.model.training_means["l1"].update_state(loss)
        callback.on_train_batch_end(batch)


def test_a_checkpoint_is_written_every_few_steps_and_after_each_epoch(start, store):
    callback = start(every=2)
    for epoch in range(2):
        callback.on_epoch_begin(epoch)
        train(callback, [1.0, 1.0, 1.0])
        callback.on_epoch_end(epoch)
    assert [saved[:2] for saved in store.saved] == [(0, 2), (1, 0), (1, 1), (1, 3), (2, 0)]
    assert callback.progress.total_steps == 6


def test_a_checkpoint_within_an_epoch_has_the_sums_of_its_losses(start, store):
    callback = start()
    callback.on_epoch_begin(0)
    train(callback, [1.0, 3.0])
    assert callback.save() == "checkpoint 1"
    callback.on_epoch_end(0)
    assert store.saved == [(0, 2, {"l1": [4.0, 2.0]}), (1, 0, {})]


def test_validation_does_not_take_part_in_the_losses(start, store, model):
    callback = start()
    callback.on_epoch_begin(0)
    train(callback, [1.0, 3.0])
    callback.on_test_begin()
    model.training_means["l1"].reset_state()
    callback.save()
    assert store.saved == [(0, 2, {"l1": [4.0, 2.0]})]


def test_a_resumed_epoch_continues_with_its_own_means(start, model):
    # Another objective had the other loss.
    callback = start(Progress(log_dir="", step=2, losses={"l1": [4.0, 2.0], "other": [1.0, 1.0]}))
    callback.on_epoch_begin(0)
    train(callback, [8.0])
    assert float(model.training_means["l1"].result()) == 4.0
    assert callback.progress.losses == {}


def test_only_one_worker_writes(start, store):
    callback = start(writes=False)
    assert callback.save() == "checkpoints"
    assert store.saved == []


def test_weights_that_are_not_finite_are_not_saved(start, store, model):
    callback = start()
    model.is_finite = lambda: False
    with pytest.raises(DivergedError, match="diverged before step 0: a weight is NaN or infinite"):
        callback.save()
    assert store.saved == []
