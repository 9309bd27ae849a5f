"""A resumed training goes on as if never stopped; what cannot be resumed is refused."""

import shutil

import numpy as np
import pytest

import run
from models.checkpoints.folder import WeightsFolder
from tests.weights_files import checkpoint_arrays, progress

pytestmark = pytest.mark.usefixtures("without_graphs")


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
