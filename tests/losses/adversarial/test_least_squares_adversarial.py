"""The loss of least squares, worked out by hand."""

from losses import get_adversarial
from tests.losses.adversarial.by_hand import assert_losses


def test_losses_by_hand():
    assert_losses(get_adversarial("lsgan"), (1.0 + 0.25 + 4.0) / 3 + 9.0 / 2, (16.0 + 1.0) / 2)
