"""What every adversarial loss is."""

import abc


class Adversarial(abc.ABC):
    """How a generator and a discriminator are set against each other.

    All of it is computed in float32, whatever the precision of the logits. Logits may be of any
    shape: one for each image, or one for each patch of it.

    Attributes:
        penalty_weight: float, how much the gradient penalty of the discriminator weighs; 0 for
            none.
    """

    penalty_weight = 0.0

    @abc.abstractmethod
    def discriminator(self, real_logits, fake_logits):
        """What the discriminator minimizes, a scalar, from two tensors of logits."""

    @abc.abstractmethod
    def generator(self, fake_logits):
        """What the generator minimizes, a scalar."""
