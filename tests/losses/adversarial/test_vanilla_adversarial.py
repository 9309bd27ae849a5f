"""The cross entropy of an adversary, worked out by hand."""

import numpy as np
import pytest

from losses import VanillaAdversarial, get_adversarial
from tests.losses.adversarial.by_hand import FAKE, REAL, assert_losses


def softplus(logit):
    return np.log1p(np.exp(logit))


# -log sigmoid(x) is softplus(-x), and -log(1 - sigmoid(x)) is softplus(x).
CROSS_ENTROPY_OF_ONES = np.mean(softplus(-REAL))
CROSS_ENTROPY_OF_ZEROS = np.mean(softplus(FAKE))
OF_GENERATOR = np.mean(softplus(-FAKE))


def test_losses_by_hand():
    of_discriminator = (
        0.9 * CROSS_ENTROPY_OF_ONES + 0.1 * np.mean(softplus(REAL)) + CROSS_ENTROPY_OF_ZEROS
    )
    assert_losses(get_adversarial("vanilla"), of_discriminator, OF_GENERATOR)


def test_only_real_labels_are_smoothed():
    loss = VanillaAdversarial(label_smoothing=0.0)
    assert_losses(loss, CROSS_ENTROPY_OF_ONES + CROSS_ENTROPY_OF_ZEROS, OF_GENERATOR)


@pytest.mark.parametrize("label_smoothing", [-0.1, 1.0, 2.0])
def test_label_smoothing_out_of_range_is_an_error(label_smoothing):
    message = rf"should be in \[0, 1\).*Received: `label_smoothing={label_smoothing}`"
    with pytest.raises(ValueError, match=message):
        VanillaAdversarial(label_smoothing)
