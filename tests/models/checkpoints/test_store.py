"""Checkpoints: whole, or known to be damaged; the last ones stay."""

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
    return sorted(place.name for place in store.path.iterdir())


def flip_a_bit(path, place):
    contents = bytearray(path.read_bytes())
    contents[place] ^= 1
    path.write_bytes(contents)


def test_all_comes_back(store):
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
def test_as_many_stay_as_were_asked_for(store, save, keep):
    for steps in (8, 9, 10, 11):
        save(steps, keep=keep)
    assert names(store) == [f"{steps:09d}-00000" for steps in (8, 9, 10, 11)][-keep:]


def test_the_end_of_an_epoch_is_kept_although_no_step_was_made(store, save):
    save(2, epoch=0)
    checkpoint = save(2, epoch=1)
    assert store.last() == checkpoint
    assert store.read_progress(checkpoint).epoch == 1


def test_what_is_written_twice_stays_as_it_is(store, save):
    checkpoint = save(model=network(seed=1))
    before = (checkpoint / WEIGHTS).stat().st_mtime_ns
    assert save(model=network(seed=2)) == checkpoint
    assert (checkpoint / WEIGHTS).stat().st_mtime_ns == before


def test_an_unfinished_checkpoint_is_never_taken(store, save, monkeypatch):
    model = network()
    kept = save(1)

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="No space"):
        save(2, model=model)
    assert store.last() == kept
    assert names(store) == [kept.name]


def test_what_a_killed_process_left_is_removed_and_nothing_else(store, save):
    for name in ("my_copy", ".writing-abc"):
        (store.path / name).mkdir(parents=True)
    checkpoint = save()
    assert names(store) == [checkpoint.name, "my_copy"]


def test_a_full_disk_is_told_before_anything_is_written(store, save, monkeypatch):
    kept = save(1)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="the disk is full: a checkpoint takes"):
        save(2)
    assert store.last() == kept


def test_a_disk_that_fills_up_is_one_clear_error(store, save, monkeypatch):
    model = network()
    kept = save(1)

    def fail(path):
        path.write_bytes(b"half")
        raise RuntimeError("Disable slist failed (file write failed: errno = 28, buf = 0x5)")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="No space left on device") as caught:
        save(2, model=model)
    assert caught.value.errno == errno.ENOSPC
    assert names(store) == [kept.name]


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
def test_a_damaged_checkpoint_is_passed_over(store, save, harm, words):
    before, last = save(1), save(2)
    found = []
    assert store.last_whole(lambda *damage: found.append(damage)) == last
    assert found == []
    harm(last)
    assert store.last_whole(lambda *damage: found.append(damage)) == before
    [(place, damage)] = found
    assert place == last
    assert words in damage


def test_a_training_that_went_back_leaves_the_damaged_ones_behind(store, save):
    before, later, last = save(10, keep=3), save(20, keep=3), save(30, keep=3)
    cut_in_half(later)
    cut_in_half(last)
    found = []
    # By way of a step that had no checkpoint, to one that has.
    save(15)
    assert names(store) == ["000000010-00000", "000000015-00000"]
    save(20)
    assert store.last_whole(found.append) == later
    assert before.name not in names(store)
    assert found == []


def test_a_damaged_checkpoint_of_the_same_step_is_written_anew(store, save):
    before, last = save(1), save(2)
    cut_in_half(last)
    assert save(2) == last
    assert store.last_whole(pytest.fail) == last
    assert names(store) == [before.name, last.name]


def test_none_is_whole(store, save):
    assert store.last_whole(pytest.fail) is None
    cut_in_half(save())
    assert store.last_whole(lambda *damage: None) is None


def test_what_is_another_is_listed(store, save):
    checkpoint = save()
    assert store.differences(checkpoint, NETWORK) == []
    assert store.differences(checkpoint, {"model": "pix2pix", "norm": "batch"}) == [
        "depth 4 and not None",
        "model sagan and not pix2pix",
        "norm None and not batch",
    ]


def test_tuples_are_what_json_makes_of_them(store):
    checkpoint = store.save(network(), Progress(), {"widths": (1, 2)}, keep=1)
    assert store.differences(checkpoint, {"widths": (1, 2)}) == []


@pytest.mark.parametrize(
    ("version", "words"), [(VERSION + 1, "update the program"), (1, "use the program that wrote")]
)
def test_one_of_another_version_is_refused(store, save, version, words):
    checkpoint = save()
    path = checkpoint / "progress.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": version}))
    for read in (store.read_progress, lambda place: store.differences(place, NETWORK)):
        with pytest.raises(InputError, match=words):
            read(checkpoint)


def test_one_of_another_network_is_refused(store, save):
    checkpoint = save(model=network(units=3))
    with pytest.raises(InputError, match="of another network"):
        store.load(checkpoint, network(units=4))


def test_a_person_can_look_for_damage(save):
    checkpoint = save()
    if os.name != "posix":
        pytest.skip("sha256sum is a program of Unix")
    check = ["sha256sum", "--check", "SHA256SUMS"]
    assert subprocess.run(check, cwd=checkpoint, capture_output=True).returncode == 0
    flip_a_bit(checkpoint / WEIGHTS, 5000)
    assert subprocess.run(check, cwd=checkpoint, capture_output=True).returncode == 1
