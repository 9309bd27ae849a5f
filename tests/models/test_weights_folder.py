"""Weights, settings and snapshots on disk: whole, self-describing, or one clear error."""

import dataclasses
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from errors import InputError
from models.weights_folder import FORMAT, Progress, WeightsFolder


def network(units=3, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


@pytest.fixture
def folder(tmp_path):
    return WeightsFolder(tmp_path / "weights")


def test_settings_come_back(folder):
    folder.write_settings({"model": "sagan", "architecture": {"filters": 2}})
    assert folder.read_settings()["architecture"] == {"filters": 2}
    assert folder.read_settings()["format"] == FORMAT


def test_settings_of_a_newer_version_are_refused(folder):
    folder.write_settings({"architecture": {}})
    path = folder.path / "settings.json"
    path.write_text(json.dumps({"format": FORMAT + 1, "architecture": {}}))
    with pytest.raises(InputError, match="update the program"):
        folder.read_settings()


def test_absent_and_broken_settings_are_one_clear_error(folder):
    with pytest.raises(InputError, match="not a folder of weights"):
        folder.read_settings()
    folder.path.mkdir()
    (folder.path / "settings.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        folder.read_settings()


@pytest.mark.parametrize(("half", "tolerance"), [(False, 0.0), (True, 1e-3)])
def test_generator_comes_back(folder, half, tolerance):
    saved, loaded = network(seed=1), network(seed=2)
    folder.save_generator(saved, half=half)
    folder.load_generator(loaded)
    for left, right in zip(saved.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(left, right, atol=tolerance)
        assert right.dtype == "float32"
    assert [path.name for path in folder.path.iterdir()] == ["generator.weights.h5"]


def test_half_precision_halves_the_file(folder):
    big = network(units=100_000)
    folder.save_generator(big)
    whole = (folder.path / "generator.weights.h5").stat().st_size
    folder.save_generator(big, half=True)
    assert (folder.path / "generator.weights.h5").stat().st_size < 0.55 * whole


def test_weights_of_another_network_are_refused(folder):
    folder.save_generator(network(units=3))
    with pytest.raises(InputError, match="of another network"):
        folder.load_generator(network(units=4))


def test_a_broken_or_absent_file_is_refused(folder):
    with pytest.raises(InputError, match="no weights to color with"):
        folder.load_generator(network())
    folder.save_generator(network())
    path = folder.path / "generator.weights.h5"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be loaded"):
        folder.load_generator(network())


def test_snapshot_comes_back_and_older_ones_go(folder):
    model = network(seed=1)
    progress = Progress(epoch=1, step=2, total_steps=12, best_loss=0.5, log_dir="logs")
    first = folder.save_snapshot(model, progress)
    progress.total_steps = 13
    second = folder.save_snapshot(model, progress)
    assert not first.exists()
    assert folder.last_snapshot() == second
    assert folder.read_progress(second) == progress
    other = network(seed=2)
    folder.load_snapshot(second, other)
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_all_of_the_progress_comes_back(folder):
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
    assert progress != Progress()
    assert folder.read_progress(folder.save_snapshot(network(), progress)) == progress


def test_progress_of_before_there_were_plateaus_is_read(folder):
    snapshot = folder.save_snapshot(network(), Progress())
    older = {"epoch": 3, "step": 2, "total_steps": 17, "best_loss": 0.5, "log_dir": "logs"}
    (snapshot / "progress.json").write_text(json.dumps(older))
    progress = folder.read_progress(snapshot)
    assert dataclasses.asdict(progress) == {
        **older,
        "best_training_loss": None,
        "rate_factor": 1.0,
        "plateau_loss": None,
        "plateau_epochs": 0,
        "losses": {},
    }


def test_losses_are_forgotten_and_nothing_else():
    done = {"epoch": 4, "step": 3, "total_steps": 23, "rate_factor": 0.01, "log_dir": "logs"}
    lowest = {"best_loss": 0.5, "best_training_loss": 0.25}

    def forget(*what):
        progress = Progress(**done, **lowest, plateau_loss=0.75, plateau_epochs=2)
        for each in what:
            getattr(progress, f"forget_{each}")()
        return progress

    assert forget("plateau") == Progress(**done, **lowest)
    assert forget("validation") == Progress(**done, **{**lowest, "best_loss": None})
    assert forget("training") == Progress(**done, **{**lowest, "best_training_loss": None})
    assert forget("validation", "training") == Progress(**done)


def test_losses_of_an_epoch_that_was_broken_off_are_means_so_far():
    progress = Progress(losses={"l1": [3.0, 4.0], "adversarial_loss": [0.0, 0.0]})
    assert progress.mean_losses() == {"l1": 0.75}


def test_folders_inside_have_names_of_their_own(folder):
    paths = [folder.of_lowest_loss.path, folder.of_lowest_training_loss.path, folder.curves]
    assert [path.relative_to(folder.path).as_posix() for path in paths] == [
        "lowest_loss",
        "lowest_training_loss",
        "curves.png",
    ]


def test_an_unfinished_snapshot_is_never_taken(folder, monkeypatch):
    model = network()
    kept = folder.save_snapshot(model, Progress(total_steps=1))

    def fail(path):
        path.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(model, "save_weights", fail)
    with pytest.raises(OSError, match="No space"):
        folder.save_snapshot(model, Progress(total_steps=2))
    assert folder.last_snapshot() == kept
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]


def test_nothing_else_in_the_folder_is_touched(folder):
    (folder.path / "snapshots" / "my_copy").mkdir(parents=True)
    folder.save_snapshot(network(), Progress(total_steps=1))
    assert (folder.path / "snapshots" / "my_copy").exists()


def test_the_end_of_an_epoch_is_kept_although_no_step_was_made(folder):
    model = network()
    folder.save_snapshot(model, Progress(epoch=0, step=2, total_steps=2))
    snapshot = folder.save_snapshot(model, Progress(epoch=1, step=0, total_steps=2))
    assert folder.last_snapshot() == snapshot
    assert folder.read_progress(snapshot).epoch == 1


def test_a_full_disk_is_told_before_anything_is_written(folder, monkeypatch):
    kept = folder.save_snapshot(network(), Progress(total_steps=1))
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(OSError, match="the disk is full: a snapshot takes"):
        folder.save_snapshot(network(), Progress(total_steps=2))
    assert folder.last_snapshot() == kept
    with pytest.raises(OSError, match="the disk is full: the generator takes"):
        folder.save_generator(network())


def test_no_snapshot(folder):
    assert folder.last_snapshot() is None
