"""The base class of the adversarial losses."""

import abc


class Adversarial(abc.ABC):
    """Base class of the adversarial losses of a generator and a discriminator.

    Losses are computed in float32, whatever the precision of the logits. Logits may have any
    shape: one for each image, or one for each patch of an image.

    Attributes:
        penalty_weight: float, the weight of the discriminator's gradient penalty. Defaults to
            `0.0`, no penalty.
    """

    penalty_weight = 0.0

    @abc.abstractmethod
    def discriminator(self, real_logits, fake_logits):
        """Returns the loss of the discriminator, a scalar."""

    @abc.abstractmethod
    def generator(self, fake_logits):
        """Returns the loss of the generator, a scalar."""
