"""Tests of training from the command line: start, stop, resume, and use pretrained weights."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run
from callbacks.training_checkpoint import TrainingCheckpoint
from jobs.common.folder_lock import alone_in
from losses.reconstruction import Reconstruction
from models.checkpoints.folder import WeightsFolder
from models.pix2pix import Pix2Pix
from tests.weights_files import arrays_in, checkpoint_arrays

pytestmark = pytest.mark.usefixtures("without_graphs")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A folder for what several tests look at."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(train, images, here, kept):
    """Puts into weights/pix2pix an epoch of the tiny pix2pix, which is trained only once.

    There is a checkpoint of each of its two steps.
    """
    if not (kept / "weights").exists():
        shutil.copytree(images, kept / "images")
        options = ("--weights_dir", str(kept / "weights"), "--log_dir", str(kept / "logs"))
        options += ("--checkpoint_steps", "1", "--dataset", str(kept / "images"))
        assert train("--epochs", "1", *options) == 0
    shutil.copytree(kept / "weights", here / "weights/pix2pix")


def progress(folder):
    folder = WeightsFolder(folder)
    return folder.checkpoints.read_progress(folder.checkpoints.last())


def test_training_writes_weights_settings_checkpoints_grids_and_records(train_sagan, here):
    options = ("--epochs", "2", "--generator_epochs", "1", "--attention_resolution", "8")
    assert train_sagan(*options, "--steps_per_epoch", "1", "--log_dir", "logs") == 0

    assert {path.name for path in (here / "weights/sagan").iterdir()} == {
        ".lock",
        "generator.weights.h5",
        "lowest_loss",
        "lowest_training_loss",
        "settings.json",
        "checkpoints",
    }
    settings = json.loads((here / "weights/sagan/settings.json").read_text())
    assert settings["architecture"]["filters"] == 2
    assert settings["architecture"]["attention_level"] == 1
    assert settings["resolution"] == 16
    assert settings["versions"]["tensorflow"]
    done = progress("weights/sagan")
    assert (done.epoch, done.step, done.total_steps) == (2, 0, 2)

    grids = sorted(path.name for path in (here / "logs/samples").glob("*.png"))
    assert grids == ["validation_epoch_0001.png", "validation_epoch_0002.png"]
    width, height = Image.open(here / "logs/samples" / grids[0]).size
    assert width == 3 * 16 + 2 * 4
    assert (height + 4) % (16 + 4) == 0

    validation = EventAccumulator(str(here / "logs/validation"), {"tensors": 0}).Reload()
    assert set(validation.Tags()["tensors"]) >= {"l1", "loss", "psnr", "colorfulness"}
    assert [event.step for event in validation.Tensors("psnr")] == [1, 2]
    samples = EventAccumulator(str(here / "logs/samples"), {"tensors": 0}).Reload()
    assert samples.Tags()["tensors"] == ["validation"]


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


# A quicker test shows this with pix2pix.
@pytest.mark.slow
@pytest.mark.parametrize(
    "stop_at",
    [
        pytest.param(2, id="after the last step"),
        pytest.param(1, id="in the first epoch"),
        pytest.param(3, id="in an epoch"),
        # Three trainings whose steps are traced take about a minute.
        pytest.param(3, id="in an epoch, in a graph", marks=pytest.mark.in_a_graph),
    ],
)
def test_stopped_and_resumed_equals_never_stopped(train_sagan, stop_after, capsys, stop_at):
    options = ("--epochs", "2", "--sample_every", "0", "--seed", "5")
    assert train_sagan(*options, "--weights_dir", "straight") == 0

    stop_after(stop_at)
    assert train_sagan(*options, "--weights_dir", "broken") == 130
    message = capsys.readouterr().err
    assert "stopped: in epoch" in message
    assert "resume with: python run.py --load_weights --weights_dir broken" in message
    assert progress("broken").total_steps == stop_at
    assert run.main(["--load_weights", "--weights_dir", "broken"]) == 0
    output = capsys.readouterr().out
    assert "resuming from" in output
    assert all(f"Epoch {epoch + 1}/2" in output for epoch in range(stop_at // 2, 2))

    assert progress("broken").total_steps == 4
    straight, broken = checkpoint_arrays("straight"), checkpoint_arrays("broken")
    assert straight.keys() == broken.keys()
    # Networks, EMA weights and both optimizers: everything except the means of the losses.
    compared = [path for path in straight if not path.startswith(("_metrics", "training_means"))]
    assert len(compared) > 100
    for path in compared:
        np.testing.assert_allclose(broken[path], straight[path], atol=1e-6, err_msg=path)


def test_sigterm_saves_a_checkpoint_too(train, stop_after):
    stop_after(1, signal.SIGTERM)
    assert train("--weights_dir", "w") == 143
    assert progress("w").total_steps == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("trained")
def test_resume_uses_the_saved_settings_with_explicit_changes(resume, capsys):
    assert resume("--epochs", "2", "--generator_lr", "1e-5") == 0
    assert progress("weights/pix2pix").epoch == 2
    saved = WeightsFolder("weights/pix2pix").read_settings()["settings"]
    assert (saved["batch_size"], saved["generator_lr"], saved["epochs"]) == (2, 1e-5, 2)
    # Keras saves an optimizer's iterations first and its learning rate second.
    rate = checkpoint_arrays("weights/pix2pix")["generator_optimizer/vars/1"]
    assert rate == pytest.approx(1e-5)

    out = capsys.readouterr().out
    assert "changed: epochs 2 instead of 1, generator_lr 1e-05 instead of 0.0002" in out

    other = ("--filters", "3", "--resolution", "32", "--encoder", "vgg16")
    assert resume(*other) == 2
    words = (
        "was started with encoder none instead of vgg16, filters 2 instead of 3, "
        "resolution 16 instead of 32"
    )
    assert words in capsys.readouterr().err
    assert resume("--class_weight", "0.2") == 2
    assert "--class_weight has no effect" in capsys.readouterr().err


def test_nothing_to_resume_is_a_one_line_error(resume, here, capsys):
    for _ in range(2):
        assert resume() == 2
        message = capsys.readouterr().err
        assert "there is no training to resume in weights/pix2pix" in message
        assert message.count("\n") == 1
        assert not (here / "weights/pix2pix").exists()
        (here / "weights").mkdir(exist_ok=True)


@pytest.mark.usefixtures("trained")
def test_a_damaged_checkpoint_is_skipped(resume, capsys):
    store = WeightsFolder("weights/pix2pix").checkpoints
    wanted = checkpoint_arrays("weights/pix2pix")
    damaged = store.last()
    file = damaged / "model.weights.h5"
    file.write_bytes(file.read_bytes()[:-1] + b"?")

    assert resume() == 0
    warning = capsys.readouterr().err
    assert f"the checkpoint {damaged} is damaged (model.weights.h5 does not match its" in warning
    assert store.last_whole(pytest.fail) == damaged
    found = checkpoint_arrays("weights/pix2pix")
    compared = [path for path in wanted if not path.startswith(("_metrics", "training_means"))]
    for path in compared:
        np.testing.assert_allclose(found[path], wanted[path], atol=1e-6, err_msg=path)

    for checkpoint in store.path.iterdir():
        (checkpoint / "SHA256SUMS").unlink()
    assert resume() == 2
    assert "no checkpoint in weights/pix2pix/checkpoints is intact" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--dataset", "images"],
        ["--load_weights"],
        [
            *("--dataset", "images", "--batch_size", "2"),
            *("--pretrained", "weights/sagan", "--weights_dir", "new"),
        ],
        ["--images", "images", "--load_weights"],
        ["--evaluate", "--dataset", "images", "--weights", "weights/sagan"],
    ],
)
@pytest.mark.usefixtures("images")
def test_a_folder_of_an_older_version_is_refused(here, capsys, arguments):
    folder = here / "weights" / "sagan"
    (folder / "snapshots" / "000000002-00001").mkdir(parents=True)
    settings = '{"format": 1, "model": "sagan", "architecture": {"keeps_encoder_moments": false}}'
    (folder / "settings.json").write_text(settings)
    assert run.main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "weights/sagan/settings.json has version 1, but this program reads version 2" in line
    assert (folder / "settings.json").read_text() == settings


@pytest.mark.usefixtures("trained")
def test_a_checkpoint_of_another_training_is_refused_with_the_differences(resume, train, capsys):
    other = ("--filters", "3", "--resolution", "32", "--weights_dir", "other")
    assert train("--epochs", "1", *other) == 0
    for checkpoint in WeightsFolder("weights/pix2pix").checkpoints.path.iterdir():
        shutil.rmtree(checkpoint)
    stranger = WeightsFolder("other").checkpoints.last()
    shutil.copytree(stranger, WeightsFolder("weights/pix2pix").checkpoints.path / stranger.name)
    assert resume() == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    belongs = "does not belong to the training in weights/pix2pix"
    for words in (belongs, "filters 3 instead of 2", "resolution 32 instead of 16"):
        assert words in message


@pytest.fixture
def small_disk(tmp_path):
    """Mounts a disk of 600 kilobytes and returns its path."""
    path = tmp_path / "disk"
    path.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", path], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no small disk can be mounted here: {error}")
    yield path
    subprocess.run(["umount", "--lazy", path], check=True)


def test_a_full_disk_leaves_the_earlier_checkpoints_intact(train, small_disk, capsys):
    folder = small_disk / "weights"
    options = ("--checkpoint_steps", "1", "--keep", "100", "--epochs", "100", "--log_dir", "logs")
    assert train(*options, "--weights_dir", str(folder)) == 2
    [error] = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert "No space left on device" in error or "the disk is full" in error
    store = WeightsFolder(folder).checkpoints
    saved = sorted(store.path.iterdir())
    assert len(saved) > 1
    damaged = []
    assert store.last_whole(lambda *what: damaged.append(what)) == saved[-1]
    assert damaged == []
    # No half-written file takes up the remaining space.
    assert all(len(list(checkpoint.iterdir())) == 3 for checkpoint in saved)


def test_a_second_training_in_one_folder_is_refused(resume, train, here, capsys):
    with alone_in(here / "weights/pix2pix"):
        assert train("--epochs", "1") == 2
        message = capsys.readouterr().err
        assert "another training is running in this folder" in message
        assert message.count("\n") == 1
        assert resume() == 2
        assert "another training is running in this folder" in capsys.readouterr().err
    assert train("--epochs", "1") == 0


def test_unfinished_files_of_a_killed_training_are_removed(train, here):
    unfinished = here / "weights/pix2pix/.writing-0123.h5"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"half")
    assert train("--epochs", "1") == 0
    assert not unfinished.exists()


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


@pytest.mark.usefixtures("trained")
def test_a_training_is_not_overwritten_by_a_new_one(train, capsys):
    before = checkpoint_arrays("weights/pix2pix")
    assert train("--epochs", "1") == 2
    assert "weights/pix2pix already holds weights" in capsys.readouterr().err
    after = checkpoint_arrays("weights/pix2pix")
    assert all(np.array_equal(before[path], after[path]) for path in before)


def test_stopped_and_resumed_in_three_phases_equals_never_stopped(train, stop_after, capsys):
    options = ["--adversarial", "wgan-gp"]
    options += ["--generator_epochs", "1", "--discriminator_epochs", "1", "--epochs", "3"]
    options += ["--discriminator_steps", "2", "--lr_schedule", "linear"]
    assert train(*options, "--weights_dir", "straight") == 0
    stop_after(3)
    assert train(*options, "--weights_dir", "resumed") == 130
    message = capsys.readouterr().err
    assert "stopped: in epoch 2" in message
    assert "resume with: python run.py --load_weights --weights_dir resumed" in message
    assert progress("resumed").total_steps == 3
    assert run.main(["--load_weights", "--weights_dir", "resumed"]) == 0
    output = capsys.readouterr().out
    assert "resuming from" in output
    assert "Epoch 2/3" in output
    assert "Epoch 3/3" in output
    assert progress("resumed").total_steps == 6
    straight, resumed = checkpoint_arrays("straight"), checkpoint_arrays("resumed")
    assert straight.keys() == resumed.keys()
    for path, array in straight.items():
        np.testing.assert_allclose(array, resumed[path], atol=1e-6, err_msg=path)


def test_with_an_adversary_the_weights_of_the_lowest_loss_are_saved_too(train):
    options = ("--epochs", "2", "--generator_epochs", "1", "--steps_per_epoch", "1")
    assert train(*options) == 0
    lowest = WeightsFolder("weights/pix2pix/lowest_loss")
    assert lowest.read_settings() == WeightsFolder("weights/pix2pix").read_settings()
    lowest.load_generator(Pix2Pix.build_generator(lowest.read_settings()["architecture"]))


def test_a_generator_that_would_not_be_trained_is_refused(train, capsys):
    options = ("--discriminator_steps", "3")
    assert train(*options) == 2
    assert capsys.readouterr().err == (
        "error: --discriminator_steps 3: the generator would not be trained in every epoch, which "
        "has 2 steps; lower it, or raise --steps_per_epoch\n"
    )


def test_pretrained_weights_of_another_model_are_refused(train, here, capsys):
    WeightsFolder(here / "other").write_settings({"model": "sagan", "architecture": {}})
    options = ("--pretrained", "other")
    assert train(*options) == 2
    message = capsys.readouterr().err
    assert message.startswith("error: --pretrained other: these are weights of sagan; add --model")


@pytest.mark.usefixtures("trained")
def test_pretrained_weights_start_a_new_training(train, here, capsys):
    (here / "weights/pix2pix").rename("first")
    # The learning rate is so small that the weights do not change.
    again = ("--weights_dir", "second", "--pretrained", "first", "--generator_lr", "1e-12")
    options = ("--epochs", "1", "--ema_decay", "0")
    assert train(*again, *options) == 0
    assert progress("second").total_steps == 2
    first, second = (arrays_in(f"{name}/generator.weights.h5") for name in ("first", "second"))
    path = "layers/wide_conv2d/vars/0"
    np.testing.assert_allclose(first[path], second[path], atol=1e-6)
    assert train("--weights_dir", "third", "--pretrained", "first", "--filters", "3") == 2
    assert "were trained with 2" in capsys.readouterr().err
    assert train("--weights_dir", "third", "--pretrained", "absent") == 2
    assert "absent is not a folder of weights" in capsys.readouterr().err
    assert train("--pretrained", "first/generator.weights.h5", "--weights_dir", "third") == 2
    assert "it is a file; give the folder that a training wrote" in capsys.readouterr().err


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


@pytest.mark.slow
def test_resume_works_from_another_folder_and_without_validation(
    train, here, stop_after, monkeypatch
):
    stop_after(2)
    assert train("--epochs", "1", "--validation_share", "0", "--weights_dir", "w") == 130
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    assert run.main(["--load_weights", "--weights_dir", "../w"]) == 0
    done = progress("../w")
    assert (done.epoch, done.step, done.total_steps) == (1, 0, 2)
    assert (here / "w/generator.weights.h5").exists()
    assert not (here / "elsewhere/logs").exists()


@pytest.mark.usefixtures("trained")
def test_a_perceptual_loss_is_never_dropped_on_resume(resume, capsys):
    absent = ("--reconstruction", "perceptual:1", "--perceptual_weights", "absent.npz")
    assert resume("--epochs", "2", *absent) == 2
    assert "absent.npz: there is no such file" in capsys.readouterr().err
    saved = WeightsFolder("weights/pix2pix").read_settings()["settings"]
    assert saved["reconstruction"] == ["l1:10"]


def test_sample_photographs_are_shown_without_true_colors(train, here, images):
    options = ("--sample_every", "1", "--sample_images", str(images), "--log_dir", "logs")
    assert train("--epochs", "1", "--steps_per_epoch", "1", *options) == 0
    grid = Image.open(here / "logs/samples/photographs_epoch_0001.png")
    assert grid.size == (2 * 16 + 4, 8 * 16 + 7 * 4)


def test_unusable_images_are_skipped_and_counted(train, images, capsys):
    (images / "broken.png").write_bytes(b"no image")
    Image.new("RGB", (20, 20), "gray").save(images / "gray.png")
    options = ("--epochs", "1", "--steps_per_epoch", "6")
    assert train(*options, "--log_dir", "logs") == 0
    warning = capsys.readouterr().err
    assert "2 of 12 skipped" in warning
    listed = (images.parent / "logs/skipped_images.tsv").read_text()
    assert "broken.png" in listed
    assert "gray.png" in listed


IMAGES = ["--dataset", "images"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--dataset", "absent"], "--dataset: absent: does not exist"),
        (["--dataset", "empty"], "--dataset: empty: no images in this folder or its subfolders"),
        (["--dataset", "grays"], "more than half of the images cannot be used"),
        ([*IMAGES, "--batch_size", "64"], "fewer than one batch of 64"),
        ([*IMAGES, "--cache", "file"], "--cache: the cache file cannot be used"),
        ([*IMAGES, "--sample_images", "absent"], "--sample_images absent"),
        ([*IMAGES, "--weights_dir", "file"], "--weights_dir file: File exists"),
        ([*IMAGES, "--log_dir", "file/logs"], "file/logs: Not a directory"),
        (
            [*IMAGES, "--reconstruction", "perceptual:1", "--perceptual_weights", "absent.npz"],
            "--perceptual_weights: absent.npz: there is no such file",
        ),
        (
            [*IMAGES, "--encoder", "vgg16", "--encoder_weights", "absent.h5"],
            "--encoder_weights: absent.h5: there is no such file",
        ),
        ([*IMAGES, "--resolution", "16", "--depth", "5"], "cannot be halved 5 times"),
        ([*IMAGES, "--max_images", "1", "--steps_per_epoch", "1"], "no image is left"),
    ],
)
@pytest.mark.usefixtures("tiny_encoder")
def test_a_training_that_cannot_start_is_a_one_line_error(images, here, capsys, arguments, words):
    (here / "empty").mkdir()
    (here / "file").write_text("")
    (here / "grays").mkdir()
    for shade in range(10):
        Image.new("RGB", (20, 20), (shade, shade, shade)).save(here / "grays" / f"{shade}.png")
    options = ["--filters", "2", "--resolution", "32", "--batch_size", "2"]
    options += ["--model", "pix2pix", "--discriminator_filters", "2"]
    assert run.main([*options, "--reconstruction", "l1:1", *arguments]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.startswith("error: ")
    assert message.count("\n") == 1


def test_without_the_default_perceptual_network_training_starts_with_a_warning(
    images, capsys, monkeypatch
):
    def no_network(*args, **kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.utils.get_file", no_network)
    options = ["--dataset", str(images), "--resolution", "16", "--validation_share", "0"]
    options += ["--filters", "2", "--depth", "1", "--adversarial", "none", "--batch_size", "2"]
    options += ["--steps_per_epoch", "1", "--epochs", "1", "--sample_every", "0"]
    assert run.main(options) == 0
    warning = capsys.readouterr().err
    assert warning.count("warning") == 1
    assert "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5 at " in warning
    saved = WeightsFolder("weights/sagan").read_settings()["settings"]
    assert saved["reconstruction"] == ["l1:10", "perceptual:0"]
    assert run.main([*options, "--weights_dir", "w", "--reconstruction", "perceptual:1"]) == 2
