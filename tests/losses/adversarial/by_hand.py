"""Logits whose losses can be worked out by hand."""

import numpy as np
import pytest

REAL, FAKE = np.array([[2.0], [0.5], [-1.0]], "float32"), np.array([[-3.0], [0.0]], "float32")


def assert_losses(loss, of_discriminator, of_generator):
    """Asserts that an adversarial loss has these values for the logits above."""
    assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(of_discriminator, rel=1e-5)
    assert float(loss.generator(FAKE)) == pytest.approx(of_generator, rel=1e-5)
    # A critic of patches has a logit for each of them.
    patches = [logits[:, :, None, None].repeat(3, axis=1) for logits in (REAL, FAKE)]
    assert float(loss.discriminator(*patches)) == pytest.approx(of_discriminator, rel=1e-5)
    assert float(loss.generator(patches[1])) == pytest.approx(of_generator, rel=1e-5)
