"""Tests of training the encoder-decoder from the command line: stop, resume, freeze and color."""

import dataclasses
import os
import signal

import keras
import numpy as np
import pytest
from PIL import Image

import run
from callbacks.frozen_encoder import FrozenEncoder
from callbacks.save_best_then_last import SaveBestThenLast
from callbacks.stop_on_signal import StopOnSignal
from config.settings import DISCRIMINATOR_FILTERS
from data.image_io import write_rgb
from jobs.train.curves import read_curves
from models.adversarial_colorizer import Phase
from models.checkpoints.folder import WeightsFolder
from tests.weights_files import checkpoint_arrays

SMALL = [
    *(
        "--model",
        "encoder_decoder",
        "--encoder",
        "vgg16",
        "--encoder_weights",
        "encoder.weights.h5",
    ),
    *("--resolution", "32", "--filters", "2", "--batch_size", "2", "--steps_per_epoch", "2"),
    *("--precision", "float32", "--validation_share", "0.3", "--sample_every", "0"),
    *("--dataset", "images", "--log_every", "1"),
]
FOLDER = "weights/encoder_decoder"

pytestmark = pytest.mark.usefixtures("without_graphs", "tiny_encoder", "images")


@pytest.fixture(autouse=True)
def _with_weights_of_the_encoder(tiny_encoder, images):
    keras.utils.set_random_seed(0)
    keras.applications.Tiny(False, None, None).save_weights("encoder.weights.h5")


@pytest.fixture(autouse=True)
def _with_a_small_discriminator(monkeypatch):
    """Makes the discriminator small, because every checkpoint holds it.

    Without an adversary, the command line refuses --discriminator_filters.
    """
    monkeypatch.setitem(DISCRIMINATOR_FILTERS, "patch", 2)


@pytest.fixture
def stop_in_validation(monkeypatch):
    """Makes this process receive a signal in its first validation."""
    original = StopOnSignal.on_test_batch_end

    def signaled(self, batch, logs=None):
        monkeypatch.setattr(StopOnSignal, "on_test_batch_end", original)
        os.kill(os.getpid(), signal.SIGINT)
        original(self, batch, logs)

    monkeypatch.setattr(StopOnSignal, "on_test_batch_end", signaled)


@pytest.fixture
def generators(monkeypatch):
    """A list of the weights at the start of every epoch: those of the encoder, and all others."""
    states, begin = [], FrozenEncoder.on_epoch_begin

    def remember(self, epoch, logs=None):
        generator = self.model.generator
        encoder = generator.get_layer("vgg16").variables
        others = [each for each in generator.variables if each.path not in paths(encoder)]
        states.append([[each.numpy() for each in part] for part in (encoder, others)])
        begin(self, epoch, logs)

    def paths(variables):
        return {each.path for each in variables}

    monkeypatch.setattr(FrozenEncoder, "on_epoch_begin", remember)
    return states


def train(*arguments):
    return run.main([*SMALL, *arguments])


def resume(folder, *arguments):
    return run.main(["--load_weights", "--weights_dir", folder, *arguments])


def saved(folder=FOLDER):
    return WeightsFolder(folder).read_settings()


def progress(folder=FOLDER):
    folder = WeightsFolder(folder)
    return folder.checkpoints.read_progress(folder.checkpoints.last())


def names_in(folder=FOLDER):
    paths = WeightsFolder(folder).path.iterdir()
    return {path.name for path in paths if not path.name.startswith(".")}


def assert_same(left, right):
    """Asserts that two trainings have the same networks, EMA weights, optimizers and progress."""
    checkpoints = checkpoint_arrays(left), checkpoint_arrays(right)
    assert checkpoints[0].keys() == checkpoints[1].keys()
    paths = [path for path in checkpoints[0] if not path.startswith(("_metrics", "training_means"))]
    assert len(paths) > 60
    for path in paths:
        left_array, right_array = (arrays[path] for arrays in checkpoints)
        np.testing.assert_allclose(left_array, right_array, atol=1e-6, err_msg=path)
    # The best training loss has its own test, on the losses of the whole epoch.
    left, right = (
        {**dataclasses.asdict(progress(folder)), "log_dir": "", "best_training_loss": None}
        for folder in (left, right)
    )
    assert left.keys() == right.keys()
    for name, value in left.items():
        if isinstance(value, float):
            value = pytest.approx(value, rel=1e-5)
        assert right[name] == value, name


def assert_png(path):
    with Image.open(path) as image:
        assert image.format == "PNG"


# --- what a training writes ----------------------------------------------------------------------


@pytest.mark.in_a_graph
@pytest.mark.draws_curves
def test_training_writes_last_and_best_weights_and_curves(here, capsys):
    assert train("--epochs", "2", "--log_dir", "logs") == 0
    assert names_in() == {
        "curves.png",
        "generator.weights.h5",
        "lowest_training_loss",
        "settings.json",
        "checkpoints",
    }
    printed = capsys.readouterr().out
    assert f"curves in {FOLDER}/curves.png\n" in printed
    assert "encoder vgg16 with the weights encoder.weights.h5\n" in printed
    assert_png(f"{FOLDER}/curves.png")
    done = progress()
    assert (done.epoch, done.step, done.total_steps) == (2, 0, 4)

    lowest = WeightsFolder(FOLDER).of_lowest_training_loss
    assert lowest.read_settings() == saved()
    assert {path.name for path in lowest.path.iterdir()} == {
        "generator.weights.h5",
        "settings.json",
    }
    curves = read_curves(here / "logs")
    assert set(curves) >= {"mse", "generator_loss", "generator_lr", "loss", "psnr", "colorfulness"}
    assert [step for step, _ in curves["mse"]["train"]] == [1, 2, 3, 4]
    assert [step for step, _ in curves["mse"]["validation"]] == [2, 4]
    # The record of the last step of an epoch is the mean of the epoch.
    of_epochs = dict(curves["generator_loss"]["train"])
    assert done.best_training_loss == pytest.approx(min(of_epochs[2], of_epochs[4]))

    assert saved()["architecture"] == {
        "filters": 2,
        "norm": "none",
        "encoder": "vgg16",
        "skip_connections": False,
        "attention_level": None,
        "discriminator_filters": 2,
        "freeze_encoder_statistics": True,
    }


@pytest.mark.draws_curves
def test_without_validation_there_are_curves_and_weights(here):
    index = SMALL.index("--validation_share")
    small = [*SMALL[: index + 1], "0", *SMALL[index + 2 :]]
    options = ["--steps_per_epoch", "1", "--epochs", "1", "--log_dir", "logs"]
    assert run.main([*small, *options]) == 0
    assert names_in() >= {"curves.png", "generator.weights.h5", "lowest_training_loss"}
    assert all(list(runs) == ["train"] for runs in read_curves(here / "logs").values())


# Tests of the settings and of the model show these options one by one.
@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ["--skip_connections"],
        ["--decoder_attention", "--attention_resolution", "8"],
        ["--skip_connections", "--decoder_attention", "--norm", "batch", "--optimizer", "adamw"],
    ],
    ids=["skips", "attention", "both"],
)
def test_variants_train_resume_and_color(here, options):
    assert train(*options, "--epochs", "1", "--steps_per_epoch", "1") == 0
    assert resume(FOLDER, "--epochs", "2") == 0
    assert progress().total_steps == 2
    assert run.main(["--images", "images/0.png", "--weights", FOLDER]) == 0
    assert Image.open(here / "results/0.png").size == (24, 20)


@pytest.mark.slow
def test_trained_weights_color_photographs_of_other_sizes(here):
    assert train("--epochs", "1") == 0
    random = np.random.default_rng(2)
    write_rgb(here / "photograph.png", random.integers(0, 256, (35, 57, 3), dtype="uint8"))
    for folder in (FOLDER, f"{FOLDER}/lowest_training_loss"):
        for more in ([], ["--render_size", "50"]):
            color = ["--images", "photograph.png", "--weights", folder, "--format", "png"]
            assert run.main([*color, *more]) == 0
            assert Image.open(here / "results/photograph.png").size == (57, 35)
            (here / "results/photograph.png").unlink()


@pytest.mark.slow
@pytest.mark.draws_curves
def test_curves_of_a_stopped_training_are_drawn(stop_after, capsys):
    stop_after(1)
    assert train("--epochs", "2") == 130
    assert names_in() == {"curves.png", "settings.json", "checkpoints"}
    assert_png(f"{FOLDER}/curves.png")
    assert "curves in " in capsys.readouterr().out
    (WeightsFolder(FOLDER).curves).unlink()
    assert resume(FOLDER) == 0
    assert_png(f"{FOLDER}/curves.png")


@pytest.mark.slow
@pytest.mark.draws_curves
def test_curves_of_a_diverged_training_are_drawn(capsys):
    assert train("--epochs", "1") == 0
    WeightsFolder(FOLDER).curves.unlink()
    assert resume(FOLDER, "--epochs", "2", "--reconstruction", "mse:1e39") == 3
    assert "training diverged at step 3 (epoch 2)" in capsys.readouterr().err
    assert_png(f"{FOLDER}/curves.png")
    assert progress().total_steps == 2


@pytest.mark.draws_curves
def test_without_records_there_are_no_curves(stop_after, capsys):
    stop_after(1)
    assert train("--log_every", "5") == 130
    assert names_in() == {"settings.json", "checkpoints"}
    assert "curves" not in capsys.readouterr().out


def test_curves_that_cannot_be_written_are_a_warning(monkeypatch, capsys):
    def fail(*arguments):
        raise OSError("No space left on device")

    monkeypatch.setattr("jobs.train.train.draw_curves", fail)
    assert train("--epochs", "1", "--steps_per_epoch", "1") == 0
    captured = capsys.readouterr()
    assert f"warning: no curves in {FOLDER}/curves.png: No space left on device\n" in captured.err
    assert "trained 1 of 1 epochs" in captured.out


# --- resuming ------------------------------------------------------------------------------------

SCHEDULES = {
    # The learning rate is so large that the loss rises.
    "plateau": ["--generator_lr", "0.05", "--plateau_patience", "1", "--plateau_factor", "0.5"],
    "cosine": ["--lr_schedule", "cosine", "--warmup_steps", "5", "--generator_lr", "0.01"],
}


@pytest.mark.slow
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_stopped_and_resumed_equals_never_stopped(stop_after, here, schedule):
    options = [*SCHEDULES[schedule], "--epochs", "4"]
    assert train(*options, "--weights_dir", "straight", "--log_dir", "straight_logs") == 0
    # The stops are within an epoch, at its end, and within the next.
    for step in (3, 4, 5):
        stop_after(step)
    assert train(*options, "--weights_dir", "broken", "--log_dir", "broken_logs") == 130
    assert [resume("broken") for _ in range(3)] == [130, 130, 0]
    assert_same("broken", "straight")
    if schedule == "plateau":
        assert progress("straight").rate_factor < 1.0
    rates = [
        read_curves(here / f"{name}_logs")["generator_lr"]["train"]
        for name in ("straight", "broken")
    ]
    assert rates[0] == rates[1]
    assert len({rate for _, rate in rates[0]}) > 1


@pytest.mark.slow
def test_a_frozen_encoder_resumes_as_if_never_stopped(stop_after):
    options = ["--freeze_encoder_epochs", "1", "--epochs", "2", "--generator_lr", "0.01"]
    assert train(*options, "--weights_dir", "straight") == 0
    # The stops are within the frozen epoch, at its end, and within the next.
    for step in (1, 2, 3):
        stop_after(step)
    assert train(*options, "--weights_dir", "broken") == 130
    assert [resume("broken") for _ in range(3)] == [130, 130, 0]
    assert_same("broken", "straight")
    arrays = checkpoint_arrays("straight")
    # The encoder was trained in the second epoch only.
    assert arrays["encoder_optimizer/vars/0"] == 2
    assert arrays["generator_optimizer/vars/0"] == 4


@pytest.mark.slow
def test_a_frozen_encoder_resumes_from_the_end_of_the_frozen_epoch():
    options = ["--freeze_encoder_epochs", "1", "--generator_lr", "0.01"]
    assert train(*options, "--epochs", "2", "--weights_dir", "straight") == 0
    assert train(*options, "--epochs", "1", "--weights_dir", "broken") == 0
    assert checkpoint_arrays("broken")["encoder_optimizer/vars/0"] == 0
    assert resume("broken", "--epochs", "2") == 0
    assert_same("broken", "straight")


def test_encoder_is_frozen_first_and_trained_then(generators):
    # Weight decay would change the encoder without any gradient.
    options = ["--freeze_encoder_epochs", "1", "--optimizer", "adamw", "--generator_lr", "0.01"]
    options += ["--steps_per_epoch", "2", "--epochs", "3", "--validation_share", "0"]
    assert train(*options) == 0
    (first, decoder), (second, decoder_2), (third, _) = generators
    assert len(first) == 10
    for before, after in zip(first, second, strict=True):
        np.testing.assert_array_equal(before, after)
    kernels = [index for index, array in enumerate(second) if array.ndim == 4]
    assert all(not np.array_equal(second[index], third[index]) for index in kernels)
    assert any(
        not np.array_equal(before, after) for before, after in zip(decoder, decoder_2, strict=True)
    )


def test_settings_of_the_saved_state_cannot_be_changed(capsys):
    assert train("--epochs", "1", "--steps_per_epoch", "1") == 0
    for option, value, before in (
        ("optimizer", "sgd", "adam"),
        ("freeze_encoder_epochs", "2", "0"),
        ("skip_connections", None, "False"),
        ("decoder_attention", None, "False"),
    ):
        capsys.readouterr()
        assert resume(FOLDER, f"--{option}", *([value] if value else [])) == 2
        assert capsys.readouterr().err == (
            f"error: --load_weights: the training in {FOLDER} was started with {option} {before} "
            f"instead of {value or True}; leave these arguments out, or start another training "
            f"from its weights with --pretrained {FOLDER} --weights_dir NEW\n"
        )
    # The same values may be given again, and the schedule is not part of the state.
    again = ["--optimizer", "adam", "--freeze_encoder_epochs", "0", "--lr_schedule", "cosine"]
    assert resume(FOLDER, *again) == 0
    assert saved()["settings"]["lr_schedule"] == "cosine"

    # An earlier version saved no optimizer: it was Adam.
    folder = WeightsFolder(FOLDER)
    settings = saved()
    for name in ("optimizer", "freeze_encoder_epochs", "weight_decay", "warmup_steps"):
        del settings["settings"][name]
    folder.write_settings(settings)
    capsys.readouterr()
    assert resume(FOLDER, "--optimizer", "lion") == 2
    assert "was started with optimizer adam instead of lion" in capsys.readouterr().err
    assert resume(FOLDER, "--optimizer", "adam") == 0


@pytest.mark.slow
def test_another_objective_resets_the_lowest_losses():
    assert train("--epochs", "2", *SCHEDULES["plateau"]) == 0
    before = progress()
    assert before.plateau_loss is not None
    # The loss is a thousand times as large, and would never fall below the earlier lowest loss.
    assert resume(FOLDER, "--epochs", "3", "--reconstruction", "mse:1000") == 0
    after = progress()
    assert after.plateau_loss > 10 * before.plateau_loss
    assert after.best_training_loss > 10 * before.best_training_loss
    assert (after.plateau_epochs, after.rate_factor) == (0, before.rate_factor)
    # An explicit learning rate starts without the reductions of earlier plateaus.
    assert resume(FOLDER, "--epochs", "4", "--generator_lr", "0.003") == 0
    assert progress().rate_factor == 1.0


# --- stopped in validation -----------------------------------------------------------------------


@pytest.mark.slow
def test_stopped_in_validation_resumes_as_if_never_stopped(stop_in_validation):
    # Only the first training is stopped.
    options = ["--epochs", "2", "--freeze_encoder_epochs", "1", "--generator_lr", "0.01"]
    assert train(*options, "--weights_dir", "broken") == 130
    done = progress("broken")
    assert (done.epoch, done.step, done.total_steps) == (0, 2, 2)
    assert resume("broken") == 0
    assert train(*options, "--weights_dir", "straight") == 0
    assert_same("broken", "straight")


@pytest.mark.slow
def test_resuming_a_stopped_validation_ends_the_epoch_in_its_own_phase(
    stop_in_validation, monkeypatch
):
    ended, end = [], SaveBestThenLast.on_epoch_end

    def remember(self, epoch, logs=None):
        end(self, epoch, logs)
        ended.append((epoch, self.model.phase, "lowest_loss" in names_in()))

    monkeypatch.setattr(SaveBestThenLast, "on_epoch_end", remember)
    options = ["--adversarial", "vanilla", "--generator_epochs", "1", "--epochs", "2"]
    assert train(*options) == 130
    assert ended == []
    assert resume(FOLDER) == 0
    assert ended == [(0, Phase.GENERATOR, False), (1, Phase.BOTH, True)]


@pytest.mark.slow
def test_plateau_counts_an_epoch_stopped_in_validation_once(stop_in_validation, monkeypatch):
    options = [*SCHEDULES["plateau"], "--epochs", "3"]
    assert train(*options, "--weights_dir", "broken") == 130
    assert progress("broken").plateau_loss is None
    assert resume("broken") == 0
    assert train(*options, "--weights_dir", "straight") == 0
    assert_same("broken", "straight")


@pytest.mark.slow
@pytest.mark.parametrize(
    "stop_at",
    [
        pytest.param(1, id="in the epoch"),
        pytest.param(2, id="at its end"),
    ],
)
def test_training_losses_of_a_resumed_epoch_are_those_of_the_whole_epoch(stop_after, stop_at):
    index = SMALL.index("--validation_share")
    small = [*SMALL[: index + 1], "0", *SMALL[index + 2 :], "--epochs", "2"]
    assert run.main([*small, "--weights_dir", "straight"]) == 0
    stop_after(stop_at)
    assert run.main([*small, "--weights_dir", "broken"]) == 130
    assert resume("broken") == 0
    straight, broken = progress("straight"), progress("broken")
    assert broken.best_training_loss == pytest.approx(straight.best_training_loss, rel=1e-5)
    assert broken.plateau_loss == pytest.approx(straight.plateau_loss, rel=1e-5)


def test_stopped_in_validation_the_lowest_training_loss_is_saved(stop_in_validation):
    assert train("--epochs", "1", "--steps_per_epoch", "1") == 130
    assert resume(FOLDER) == 0
    assert "lowest_training_loss" in names_in()


# --- against an adversary ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "adversarial", ["vanilla", pytest.param("wgan-gp", marks=pytest.mark.slow)]
)
def test_encoder_decoder_trains_against_an_adversary(here, adversarial):
    options = ["--adversarial", adversarial, "--epochs", "2"]
    options += ["--generator_epochs", "1", "--log_dir", "logs"]
    assert train(*options) == 0
    assert names_in() >= {"lowest_loss", "lowest_training_loss"}
    curves = read_curves(here / "logs")
    # Only the generator is trained in the first epoch.
    assert [step for step, _ in curves["adversarial_loss"]["train"]] == [3, 4]
    assert [step for step, _ in curves["discriminator_loss"]["train"]] == [3, 4]
    assert ("gradient_penalty" in curves) is (adversarial == "wgan-gp")


@pytest.mark.slow
def test_training_against_an_adversary_resumes_as_if_never_stopped(stop_after):
    options = ["--adversarial", "vanilla", "--epochs", "2"]
    options += ["--generator_epochs", "1", "--freeze_encoder_epochs", "1"]
    assert train(*options, "--weights_dir", "straight") == 0
    stop_after(3)
    assert train(*options, "--weights_dir", "broken") == 130
    assert resume("broken") == 0
    assert_same("broken", "straight")
    assert checkpoint_arrays("broken")["discriminator_optimizer/vars/0"] == 2
