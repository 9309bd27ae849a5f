"""Weights are saved with their optimizer and restored, or the error says what is wrong."""

import errno
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from errors import InputError
from models.checkpoints.file import load_weights, require_room, save_weights


def network(units=3, seed=0, trained=True):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])
    model.compile("adam", "mse", run_eagerly=True)
    if trained:
        model.train_on_batch(np.ones((1, 2)), np.ones((1, units)))
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.weights.h5"


def test_weights_and_optimizer_are_restored(path):
    saved, restored = network(), network(seed=1)
    save_weights(saved, path)
    load_weights(restored, path)
    for wanted, found in zip(
        [*saved.weights, *saved.optimizer.variables],
        [*restored.weights, *restored.optimizer.variables],
        strict=True,
    ):
        np.testing.assert_array_equal(found, wanted)


def test_an_optimizer_without_its_state_is_refused(path):
    # Keras only warns, and would start it anew.
    save_weights(network(trained=False), path)
    with pytest.raises(InputError, match="cannot be loaded: it is damaged or from another network"):
        load_weights(network(), path)


def test_weights_of_another_network_and_damaged_files_are_refused(path):
    save_weights(network(units=4), path)
    with pytest.raises(InputError, match=r"a\.weights\.h5 cannot be loaded") as error:
        load_weights(network(), path)
    assert "\n" not in str(error.value)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"a\.weights\.h5 cannot be loaded"):
        load_weights(network(), path)


def test_a_disk_that_fills_up_is_an_error_of_the_system(path):
    def fail(path):
        raise RuntimeError("Disable slist failed (file write failed: errno = 28, buf = 0x5)")

    with pytest.raises(OSError, match="No space left on device") as error:
        save_weights(SimpleNamespace(save_weights=fail), path)
    assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(path))


def test_other_errors_of_hdf5_stay_what_they_are(path):
    def fail(path):
        raise RuntimeError("no number")

    with pytest.raises(RuntimeError, match="no number"):
        save_weights(SimpleNamespace(save_weights=fail), path)


def test_room_is_for_all_weights_and_the_optimizer_once(tmp_path, monkeypatch):
    model = network(units=1000)
    # An adversarial colorizer has the optimizer of its generator under two names.
    model.generator_optimizer = model.optimizer
    # Weights and biases, the two moments of Adam, its iterations and its learning rate.
    needed = 1.1 * 4 * (3 * 3000 + 2)
    for free, fits in ((needed + 1, True), (needed - 1, False)):
        monkeypatch.setattr("shutil.disk_usage", lambda path, free=free: SimpleNamespace(free=free))
        if fits:
            require_room(tmp_path, model, "a checkpoint")
        else:
            with pytest.raises(OSError, match="the disk is full: a checkpoint takes 0 MB"):
                require_room(tmp_path, model, "a checkpoint")
