"""The rates of every epoch."""

from types import SimpleNamespace

import pytest

from callbacks.learning_rates import LearningRates
from callbacks.phases import Phases
from models.adversarial_colorizer import Phase

RATES = {
    Phase.GENERATOR: (1.0, 2.0),
    Phase.DISCRIMINATOR: (3.0, 4.0),
    Phase.BOTH: (5.0, 6.0),
}


def rates_of(epochs, schedule="constant", generator_epochs=0, discriminator_epochs=0):
    seen = []
    model = SimpleNamespace(phase=None)
    model.set_phase = lambda phase: setattr(model, "phase", phase)
    model.set_learning_rates = lambda *rates: seen.append(rates)
    callbacks = [
        Phases(generator_epochs, discriminator_epochs),
        LearningRates(RATES, schedule, epochs),
    ]
    for each in callbacks:
        each.set_model(model)
    for epoch in range(epochs):
        for each in callbacks:
            each.on_epoch_begin(epoch)
    return seen


def test_each_phase_has_its_rates():
    assert rates_of(4, "constant", 2, 1) == [(1.0, 2.0), (1.0, 2.0), (3.0, 4.0), (5.0, 6.0)]


def test_line_falls_in_the_second_half():
    generator = [rates[0] / 5.0 for rates in rates_of(6, "linear")]
    assert generator == pytest.approx([1.0, 1.0, 1.0, 1.0, 2 / 3, 1 / 3])


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_one_epoch_has_full_rates(schedule):
    assert rates_of(1, schedule) == [(5.0, 6.0)]
