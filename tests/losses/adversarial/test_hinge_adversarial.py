"""The hinge loss, worked out by hand."""

from losses import get_adversarial
from tests.losses.adversarial.by_hand import assert_losses


def test_losses_by_hand():
    # Logits beyond the margin do not count.
    assert_losses(get_adversarial("hinge"), (0.0 + 0.5 + 2.0) / 3 + (0.0 + 1.0) / 2, 1.5)
