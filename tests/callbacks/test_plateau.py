"""Learning rates are lowered when the loss stops falling."""

import dataclasses
import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from callbacks.plateau import Plateau
from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress


def end_epochs(progress, logs, patience=2, factor=0.5, phases=None):
    """Ends one epoch for each of the logs and returns the factor of the rates after each epoch."""
    callback = Plateau(progress, patience, factor)
    model = SimpleNamespace(phase=Phase.GENERATOR)
    callback.set_model(model)
    rates = []
    for epoch, values in enumerate(logs):
        if phases:
            model.phase = phases[epoch]
        callback.on_epoch_end(epoch, values)
        rates.append(progress.rate_factor)
    return rates


def validated(losses):
    return [{"val_loss": loss} for loss in losses]


def random_losses(seed, count=40):
    """Losses that fall at first and are noise later. Any two are equal or clearly different."""
    random = np.random.default_rng(seed)
    return [float(loss) for loss in 20 // np.arange(1, count + 1) + random.integers(1, 9, count)]


def rates_of_keras(losses, patience, factor):
    callback = keras.callbacks.ReduceLROnPlateau("val_loss", factor, patience, min_delta=0.0)
    callback.set_model(SimpleNamespace(optimizer=keras.optimizers.SGD(1.0)))
    callback.on_train_begin()
    rates = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(float(callback.model.optimizer.learning_rate))
    return rates


@pytest.mark.parametrize("patience", [1, 2, 3, 7])
@pytest.mark.parametrize("seed", range(5))
def test_rates_are_those_of_keras(seed, patience):
    losses = random_losses(seed)
    rates = end_epochs(Progress(), validated(losses), patience)
    assert rates == rates_of_keras(losses, patience, 0.5)
    assert rates[-1] < 0.5


def test_patience_starts_again_after_rates_are_lowered():
    losses = [5.0, 4.0, 4.0, 6.0, 4.0, 4.0, 4.0, 3.0, 9.0, 9.0, 9.0]
    rates = end_epochs(Progress(), validated(losses), patience=3, factor=0.1)
    assert rates == pytest.approx([1.0] * 4 + [0.1] * 6 + [0.01])


@pytest.mark.parametrize(
    ("before", "now", "has_fallen"),
    [
        (1.0, 0.99995, False),
        (1.0, 0.9998, True),
        (100.0, 99.995, False),
        (100.0, 99.98, True),
        (1e-4, 0.99995e-4, False),
        (1e-4, 0.9998e-4, True),
        # A term that rewards more color can make the loss negative.
        (-1.0, -1.00005, False),
        (-1.0, -1.0002, True),
        (-1.0, -0.9998, False),
        (0.0, 0.0, False),
    ],
)
def test_a_loss_that_is_hardly_lower_has_not_fallen(before, now, has_fallen):
    progress = Progress()
    end_epochs(progress, validated([before, now]), patience=5)
    assert progress.plateau_epochs == (0 if has_fallen else 1)
    assert progress.plateau_loss == (now if has_fallen else before)


def test_small_decreases_add_up():
    # Each loss is hardly lower than the one before, but every few are clearly lower than the
    # lowest that counted.
    losses = [1.0 - 4e-5 * number for number in range(12)]
    assert end_epochs(Progress(), validated(losses), patience=3) == [1.0] * 12


@pytest.mark.parametrize("patience", [1, 3])
def test_resumed_after_any_epoch_equals_never_stopped(patience):
    logs = validated(random_losses(0, 20))
    uninterrupted = Progress()
    rates = end_epochs(uninterrupted, logs, patience)
    assert rates[-1] < 1.0
    for done in range(20):
        progress = Progress()
        before = end_epochs(progress, logs[:done], patience)
        # A checkpoint saves the progress as JSON.
        progress = Progress(**json.loads(json.dumps(dataclasses.asdict(progress))))
        assert before + end_epochs(progress, logs[done:], patience) == rates
        assert progress == uninterrupted


def test_without_validation_the_training_loss_counts():
    logs = [{"generator_loss": loss} for loss in (3.0, 2.0, 2.0, 2.0)]
    progress = Progress()
    assert end_epochs(progress, logs) == [1.0, 1.0, 1.0, 0.5]
    assert progress.plateau_loss == 2.0


def test_with_validation_the_training_loss_does_not_count():
    logs = [{"val_loss": 1.0, "generator_loss": 3.0 - epoch} for epoch in range(3)]
    assert end_epochs(Progress(), logs) == [1.0, 1.0, 0.5]


def test_only_epochs_of_the_generator_alone_count():
    generator, discriminator, both = Phase.GENERATOR, Phase.DISCRIMINATOR, Phase.BOTH
    phases = [generator] * 2 + [discriminator] * 2 + [both] * 3 + [generator] * 2
    progress = Progress()
    rates = end_epochs(progress, validated([1.0] * 9), patience=3, phases=phases)
    assert rates == [1.0] * 8 + [0.5]
    # In the other phases, a lower loss does not count either.
    end_epochs(progress, validated([0.5, 0.5]), phases=[discriminator, both])
    assert progress.plateau_loss == 1.0


@pytest.mark.parametrize("logs", [None, {}, {"discriminator_loss": 1.0}])
def test_an_epoch_without_a_loss_does_not_count(logs):
    progress = Progress(plateau_loss=1.0, plateau_epochs=1)
    assert end_epochs(progress, [logs] * 3) == [1.0] * 3
    assert progress == Progress(plateau_loss=1.0, plateau_epochs=1)


def test_a_plateau_is_reported_in_one_line(capsys):
    end_epochs(Progress(), validated([1.0, 1.0]), factor=0.1)
    assert capsys.readouterr().out == ""
    end_epochs(Progress(), validated([1.0] * 5), factor=0.1)
    assert capsys.readouterr().out.split("\n") == [
        # The message starts on a new line after the progress bar.
        "",
        "the loss has not fallen for 2 epochs: learning rates are multiplied by 0.1 from now on",
        "",
        "the loss has not fallen for 2 epochs: learning rates are multiplied by 0.01 from now on",
        "",
    ]
