"""Checkpoints: complete or detected as damaged; only the last ones remain."""

import errno
import json
import os
import subprocess
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from errors import InputError
from models.checkpoints.progress import Progress
from models.checkpoints.store import CheckpointStore
from models.checkpoints.version import VERSION

NETWORK = {"model": "sagan", "depth": 4}
WEIGHTS = "model.weights.h5"


def network(units=3, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "checkpoints")


@pytest.fixture
def save(store):
    def call(steps=1, epoch=0, keep=2, model=None):
        progress = Progress(epoch=epoch, total_steps=steps)
        return store.save(model or network(), progress, NETWORK, keep)

    return call


def names(store):
    return sorted(path.name for path in store.path.iterdir())


def flip_a_bit(path, position):
    contents = bytearray(path.read_bytes())
    contents[position] ^= 1
    path.write_bytes(contents)


def test_model_and_progress_are_restored(store):
    progress = Progress(
        epoch=1,
        step=2,
        total_steps=12,
        best_loss=0.5,
        best_training_loss=0.25,
        rate_factor=0.1 * 0.1,
        plateau_loss=1 / 3,
        plateau_epochs=2,
        log_dir="logs",
    )
    model, other = network(seed=1), network(seed=2)
    checkpoint = store.save(model, progress, NETWORK, keep=1)
    assert store.last() == checkpoint
    assert store.read_progress(checkpoint) == progress
    store.load(checkpoint, other)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("keep", [1, 3])
def test_the_requested_number_of_checkpoints_remains(store, save, keep):
    for steps in (8, 9, 10, 11):
        save(steps, keep=keep)
    assert names(store) == [f"{steps:09d}-00000" for steps in (8, 9, 10, 11)][-keep:]


def test_the_end_of_an_epoch_is_saved_although_no_step_was_made(store, save):
    save(2, epoch=0)
    checkpoint = save(2, epoch=1)
    assert store.last() == checkpoint
    assert store.read_progress(checkpoint).epoch == 1


def test_a_checkpoint_that_exists_is_not_written_again(store, save):
    checkpoint = save(model=network(seed=1))
    before = (checkpoint / WEIGHTS).stat().st_mtime_ns
    assert save(model=network(seed=2)) == checkpoint
    assert (checkpoint / WEIGHTS).stat().st_mtime_ns == before


def test_an_unfinished_checkpoint_is_never_used(store, save, monkeypatch):
    model = network()
    saved = save(1)

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="No space"):
        save(2, model=model)
    assert store.last() == saved
    assert names(store) == [saved.name]


def test_only_the_unfinished_checkpoint_of_a_killed_process_is_removed(store, save):
    for name in ("my_copy", ".writing-abc"):
        (store.path / name).mkdir(parents=True)
    checkpoint = save()
    assert names(store) == [checkpoint.name, "my_copy"]


def test_a_full_disk_is_reported_before_anything_is_written(store, save, monkeypatch):
    saved = save(1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="the disk is full: a checkpoint takes"):
        save(2)
    assert store.last() == saved


def test_a_disk_that_fills_up_while_writing_is_reported(store, save, monkeypatch):
    model = network()
    saved = save(1)

    def fail(path):
        path.write_bytes(b"half")
        raise RuntimeError("Disable slist failed (file write failed: errno = 28, buf = 0x5)")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save(2, model=model)
    assert caught.value.errno == errno.ENOSPC
    assert names(store) == [saved.name]


def cut_in_half(checkpoint):
    path = checkpoint / WEIGHTS
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda checkpoint: flip_a_bit(checkpoint / WEIGHTS, 5000), WEIGHTS),
        (lambda checkpoint: flip_a_bit(checkpoint / "progress.json", 30), "progress.json"),
        (lambda checkpoint: flip_a_bit(checkpoint / "SHA256SUMS", 5), WEIGHTS),
        (lambda checkpoint: flip_a_bit(checkpoint / "SHA256SUMS", 65), WEIGHTS),
        (cut_in_half, WEIGHTS),
        (lambda checkpoint: (checkpoint / WEIGHTS).unlink(), "No such file"),
        (lambda checkpoint: (checkpoint / "SHA256SUMS").unlink(), "SHA256SUMS"),
        (lambda checkpoint: (checkpoint / "SHA256SUMS").write_bytes(b"\xff\n"), "SHA256SUMS"),
        (lambda checkpoint: (checkpoint / "SHA256SUMS").write_text(""), WEIGHTS),
    ],
)
def test_a_damaged_checkpoint_is_skipped(store, save, harm, words):
    before, last = save(1), save(2)
    found = []
    assert store.last_whole(lambda *damage: found.append(damage)) == last
    assert found == []
    harm(last)
    assert store.last_whole(lambda *damage: found.append(damage)) == before
    [(path, damage)] = found
    assert path == last
    assert words in damage


def test_saving_an_earlier_step_removes_the_damaged_later_checkpoints(store, save):
    before, later, last = save(10, keep=3), save(20, keep=3), save(30, keep=3)
    cut_in_half(later)
    cut_in_half(last)
    found = []
    # First a step that had no checkpoint, then one that had a damaged checkpoint.
    save(15)
    assert names(store) == ["000000010-00000", "000000015-00000"]
    save(20)
    assert store.last_whole(found.append) == later
    assert before.name not in names(store)
    assert found == []


def test_a_damaged_checkpoint_of_the_same_step_is_written_again(store, save):
    before, last = save(1), save(2)
    cut_in_half(last)
    assert save(2) == last
    assert store.last_whole(pytest.fail) == last
    assert names(store) == [before.name, last.name]


def test_there_may_be_no_undamaged_checkpoint(store, save):
    assert store.last_whole(pytest.fail) is None
    cut_in_half(save())
    assert store.last_whole(lambda *damage: None) is None


def test_differences_between_settings_are_listed(store, save):
    checkpoint = save()
    assert store.differences(checkpoint, NETWORK) == []
    assert store.differences(checkpoint, {"model": "pix2pix", "norm": "batch"}) == [
        "depth 4 instead of None",
        "model sagan instead of pix2pix",
        "norm None instead of batch",
    ]


def test_tuples_equal_the_lists_of_json(store):
    checkpoint = store.save(network(), Progress(), {"widths": (1, 2)}, keep=1)
    assert store.differences(checkpoint, {"widths": (1, 2)}) == []


@pytest.mark.parametrize(
    ("version", "words"), [(VERSION + 1, "update the program"), (1, "use the program that wrote")]
)
def test_a_checkpoint_of_another_version_is_refused(store, save, version, words):
    checkpoint = save()
    path = checkpoint / "progress.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))
    for read in (store.read_progress, lambda folder: store.differences(folder, NETWORK)):
        with pytest.raises(InputError, match=words):
            read(checkpoint)


def test_a_checkpoint_of_another_network_is_refused(store, save):
    checkpoint = save(model=network(units=3))
    with pytest.raises(InputError, match="from another network"):
        store.load(checkpoint, network(units=4))


def test_damage_is_detected_by_sha256sum(save):
    checkpoint = save()
    if os.name != "posix":
        pytest.skip("sha256sum is a program of Unix")
    check = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=checkpoint, capture_output=True).returncode == 0
    flip_a_bit(checkpoint / WEIGHTS, 5000)
    assert subprocess.run(check, cwd=checkpoint, capture_output=True).returncode == 1
