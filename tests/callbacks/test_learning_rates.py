"""The learning rates of every step."""

from types import SimpleNamespace

import pytest

from callbacks.learning_rates import SCHEDULES, LearningRates
from callbacks.phases import Phases
from callbacks.training_checkpoint import TrainingCheckpoint
from models.adversarial_colorizer import Phase
from models.checkpoints.progress import Progress

RATES = {
    Phase.GENERATOR: (1.0, 2.0),
    Phase.DISCRIMINATOR: (3.0, 4.0),
    Phase.BOTH: (5.0, 6.0),
}


def rates_of(
    epochs, steps, progress=None, phases=(0, 0), lowered=(), schedule="constant", **options
):
    """Returns both rates of each remaining step. Plateaus lower them after the `lowered` epochs."""
    progress = progress or Progress()
    rates_of_steps = []
    model = SimpleNamespace(phase=None, training_means={})
    model.set_phase = lambda phase: setattr(model, "phase", phase)
    model.set_learning_rates = lambda *rates: rates_of_steps.append(rates)
    checkpoint = TrainingCheckpoint(None, progress, {})
    callbacks = [
        Phases(*phases),
        LearningRates(RATES, progress, schedule, epochs, steps, **options),
        checkpoint,
    ]
    for callback in callbacks:
        callback.set_model(model)
    while progress.epoch < epochs:
        for callback in callbacks:
            callback.on_epoch_begin(progress.epoch)
        # Keras counts the remaining batches of a resumed epoch from 0.
        for batch in range(steps - progress.step):
            for callback in callbacks:
                callback.on_train_batch_begin(batch)
            checkpoint.on_train_batch_end(batch)
        progress.epoch, progress.step = progress.epoch + 1, 0
        if progress.epoch in lowered:
            progress.rate_factor *= 0.5
    return rates_of_steps


def factors(*arguments, **options):
    """Returns the factor of the generator's rate in each step."""
    return [generator / 5.0 for generator, _ in rates_of(*arguments, **options)]


def test_each_phase_has_its_rates():
    rates = rates_of(4, 2, phases=(2, 1))
    assert rates == [(1.0, 2.0)] * 4 + [(3.0, 4.0)] * 2 + [(5.0, 6.0)] * 2


@pytest.mark.parametrize("schedule", ["constant", "plateau"])
def test_rates_are_constant_without_a_plateau(schedule):
    assert factors(3, 2, schedule=schedule) == [1.0] * 6


@pytest.mark.parametrize(("epochs", "steps"), [(6, 1), (3, 2), (1, 6)])
def test_linear_schedule_falls_in_the_second_half_step_by_step(epochs, steps):
    expected = [1.0, 1.0, 1.0, 1.0, 2 / 3, 1 / 3]
    assert factors(epochs, steps, schedule="linear") == pytest.approx(expected)


@pytest.mark.parametrize(("epochs", "steps"), [(6, 1), (3, 2), (1, 6)])
def test_cosine_schedule_falls_along_half_a_wave_step_by_step(epochs, steps):
    # (1 + cos(x)) / 2 for x = 0, 30, 60, ... degrees.
    expected = [1.0, 0.5 + 3**0.5 / 4, 0.75, 0.5, 0.25, 0.5 - 3**0.5 / 4]
    assert factors(epochs, steps, schedule="cosine") == pytest.approx(expected)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_first_step_has_full_rates(schedule):
    assert rates_of(1, 1, schedule=schedule) == [(5.0, 6.0)]


def test_warmup_raises_rates_linearly_from_the_first_step_on():
    # The warmup ends in the second epoch.
    rates = factors(3, 3, warmup_steps=5)
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert factors(1, 3, warmup_steps=1) == [1.0, 1.0, 1.0]
    # The training ends before the warmup.
    assert factors(1, 2, warmup_steps=4) == pytest.approx([0.25, 0.5])


def test_warmup_multiplies_the_rates_of_the_schedule():
    rates = factors(2, 2, schedule="cosine", warmup_steps=4)
    wave = 0.5**0.5
    assert rates == pytest.approx([0.25, 0.25 * (1 + wave), 0.375, 0.5 * (1 - wave)])


def test_both_rates_rise_and_fall_alike():
    rates = rates_of(2, 2, phases=(1, 0), schedule="linear", warmup_steps=2)
    assert rates == [(0.5, 1.0), (1.0, 2.0), (5.0, 6.0), (2.5, 3.0)]


@pytest.mark.parametrize("schedule", ["constant", "linear", "cosine"])
def test_other_schedules_ignore_plateaus(schedule):
    lowered = rates_of(3, 2, Progress(rate_factor=0.5), schedule=schedule)
    assert lowered == rates_of(3, 2, schedule=schedule)


def test_plateaus_lower_both_rates():
    progress = Progress(rate_factor=0.5)
    rates = rates_of(3, 1, progress, schedule="plateau", lowered=[2])
    assert rates == [(2.5, 3.0), (2.5, 3.0), (1.25, 1.5)]


@pytest.mark.parametrize("warmup_steps", [0, 5])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resumed_at_any_step_equals_never_stopped(schedule, warmup_steps):
    epochs, steps = 4, 3
    options = {"phases": (1, 1), "schedule": schedule, "warmup_steps": warmup_steps}
    uninterrupted = rates_of(epochs, steps, lowered=[1, 3], **options)
    assert len(set(uninterrupted)) > 2
    for done in range(epochs * steps):
        epoch, step = divmod(done, steps)
        factor = {0: 1.0, 1: 0.5, 2: 0.5, 3: 0.25}[epoch]
        progress = Progress(epoch, step, done, rate_factor=factor)
        resumed = rates_of(epochs, steps, progress, lowered=[1, 3], **options)
        assert resumed == uninterrupted[done:]
