"""The generator is trained alone first, then the discriminator alone, then both."""

from types import SimpleNamespace

import pytest

from callbacks.phases import Phases
from models.adversarial_colorizer import Phase


@pytest.mark.parametrize(
    ("alone", "expected"),
    [
        ((0,), "BBBB"),
        ((2,), "GGBB"),
        ((1, 2), "GDDB"),
        ((0, 1), "DBBB"),
        ((4, 1), "GGGG"),
    ],
)
def test_each_epoch_has_its_phase(alone, expected):
    found = []
    callback = Phases(*alone)
    callback.set_model(SimpleNamespace(set_phase=found.append))
    for epoch in range(4):
        callback.on_epoch_begin(epoch)
    phases = {"G": Phase.GENERATOR, "D": Phase.DISCRIMINATOR, "B": Phase.BOTH}
    assert found == [phases[letter] for letter in expected]


def test_a_resumed_epoch_has_the_same_phase():
    found = []
    callback = Phases(1, 1)
    callback.set_model(SimpleNamespace(set_phase=found.append))
    callback.on_epoch_begin(1)
    assert found == [Phase.DISCRIMINATOR]
