"""The difference of mean scores, worked out by hand."""

import pytest

from losses import WassersteinAdversarial, get_adversarial
from tests.losses.adversarial.by_hand import assert_losses


def test_losses_by_hand():
    assert_losses(get_adversarial("wgan-gp"), -1.5 - 0.5, 1.5)


def test_negative_penalty_weight_is_an_error():
    with pytest.raises(ValueError, match="at least 0"):
        WassersteinAdversarial(-1.0)
