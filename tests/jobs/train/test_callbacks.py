"""The callbacks of a training log, show, save and stop as its settings say."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from callbacks.training_checkpoint import TrainingCheckpoint
from losses.reconstruction import Reconstruction
from models.checkpoints.folder import WeightsFolder
from models.pix2pix import Pix2Pix
from tests.weights_files import checkpoint_arrays, progress

pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.mark.slow
def test_losses_are_logged_every_few_steps(train, here):
    options = ("--epochs", "1", "--steps_per_epoch", "5", "--log_every", "2", "--sample_every", "0")
    assert train(*options, "--log_dir", "logs") == 0
    records = EventAccumulator(str(here / "logs/train"), {"tensors": 0}).Reload()
    # The last step of an epoch is logged too.
    assert [event.step for event in records.Tensors("l1")] == [2, 4, 5]
    assert {"generator_loss", "discriminator_loss", "images_per_second"} <= set(
        records.Tags()["tensors"]
    )
    assert not (here / "logs/samples").exists()


def test_checkpoints_are_written_within_an_epoch_too(train, monkeypatch):
    saved = []
    save = TrainingCheckpoint.save
    monkeypatch.setattr(
        TrainingCheckpoint,
        "save",
        lambda self: saved.append(self.progress.total_steps) or save(self),
    )
    options = ("--epochs", "2", "--steps_per_epoch", "4")
    assert train(*options, "--checkpoint_steps", "3", "--keep", "3") == 0
    assert saved == [3, 4, 6, 8]
    names = sorted(
        path.name for path in WeightsFolder("weights/pix2pix").checkpoints.path.iterdir()
    )
    assert names == ["000000004-00001", "000000006-00001", "000000008-00002"]


def test_a_nonfinite_step_is_recorded_and_skipped(train, here, capsys, monkeypatch):
    original = Reconstruction.terms
    calls = []

    def poisoned(self, lightness, true_ab, colored_ab):
        calls.append(1)
        terms = original(self, lightness, true_ab, colored_ab)
        return {**terms, "l1": terms["l1"] * np.nan} if len(calls) == 2 else terms

    monkeypatch.setattr(Reconstruction, "terms", poisoned)
    options = ("--epochs", "1", "--steps_per_epoch", "3")
    assert train(*options, "--nan", "skip") == 0
    assert "step 2 was undone (1 of at most 10): " in capsys.readouterr().err
    first, *names = (here / "weights/pix2pix/nonfinite_steps.txt").read_text().splitlines()
    assert first.startswith("step 2 (epoch 1): ")
    assert "l1 is nan" in first
    assert len(names) == 2
    assert all((here / "images" / Path(name.strip()).name).exists() for name in names)
    assert progress("weights/pix2pix").skipped_steps == 1

    calls.clear()
    assert train(*options, "--weights_dir", "other") == 3
    message = capsys.readouterr().err
    assert "training diverged at step 2 (epoch 1): " in message
    assert (here / "other/nonfinite_steps.txt").read_text().splitlines()[1:] == names


def test_with_an_adversary_the_weights_of_the_lowest_loss_are_saved_too(train):
    options = ("--epochs", "2", "--generator_epochs", "1", "--steps_per_epoch", "1")
    assert train(*options) == 0
    lowest = WeightsFolder("weights/pix2pix/lowest_loss")
    assert lowest.read_settings() == WeightsFolder("weights/pix2pix").read_settings()
    lowest.load_generator(Pix2Pix.build_generator(lowest.read_settings()["architecture"]))


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_a_nonfinite_loss_ends_training(resume, capsys):
    before = checkpoint_arrays("weights/pix2pix")
    assert resume("--epochs", "2", "--reconstruction", "l1:1e39") == 3
    message = capsys.readouterr().err
    assert "training diverged at step 3 (epoch 2)" in message
    assert "generator_loss is inf" in message
    after = checkpoint_arrays("weights/pix2pix")
    assert all(np.array_equal(before[path], after[path]) for path in before)


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_weights_that_diverge_in_the_last_step_are_not_saved(resume, capsys, monkeypatch):
    before = checkpoint_arrays("weights/pix2pix")
    original = TrainingCheckpoint.on_train_batch_end

    def poisoned(self, batch, logs=None):
        original(self, batch, logs)
        if self.progress.step == 2:
            self.model.generator.variables[0].assign(self.model.generator.variables[0] * np.nan)

    monkeypatch.setattr(TrainingCheckpoint, "on_train_batch_end", poisoned)
    # Without a checkpoint in the epoch, which would be of finite weights.
    assert resume("--epochs", "2", "--checkpoint_steps", "9") == 3
    assert "a weight is NaN or infinite" in capsys.readouterr().err
    after = checkpoint_arrays("weights/pix2pix")
    assert all(np.array_equal(before[path], after[path]) for path in before)


def test_sample_photographs_are_shown_without_true_colors(train, here, images):
    options = ("--sample_every", "1", "--sample_images", str(images), "--log_dir", "logs")
    assert train("--epochs", "1", "--steps_per_epoch", "1", *options) == 0
    grid = Image.open(here / "logs/samples/photographs_epoch_0001.png")
    assert grid.size == (2 * 16 + 4, 8 * 16 + 7 * 4)
