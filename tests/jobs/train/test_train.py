"""Tests of training from the command line: start, stop, refuse, and use pretrained weights."""

import json
import signal
import subprocess

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import run
from jobs.common.folder_lock import alone_in
from models.checkpoints.folder import WeightsFolder
from tests.weights_files import arrays_in, checkpoint_arrays, progress

pytestmark = pytest.mark.usefixtures("without_graphs")


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


def test_sigterm_saves_a_checkpoint_too(train, stop_after):
    stop_after(1, signal.SIGTERM)
    assert train("--weights_dir", "w") == 143
    assert progress("w").total_steps == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


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


@pytest.mark.usefixtures("trained")
def test_a_training_is_not_overwritten_by_a_new_one(train, capsys):
    before = checkpoint_arrays("weights/pix2pix")
    assert train("--epochs", "1") == 2
    assert "weights/pix2pix already holds weights" in capsys.readouterr().err
    after = checkpoint_arrays("weights/pix2pix")
    assert all(np.array_equal(before[path], after[path]) for path in before)


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
