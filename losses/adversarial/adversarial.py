"""The base class of the adversarial losses."""

import abc
from typing import Any

from keras import KerasTensor as Tensor


class Adversarial(abc.ABC):
    """Base class of the adversarial losses of a generator and a discriminator.

    Losses are computed in float32, whatever the precision of the logits. Logits may have any
    shape: one for each image, or one for each patch of an image. Keras can serialize a subclass
    that is registered and returns its arguments from `get_config`.

    Attributes:
        penalty_weight: float, the weight of the discriminator's gradient penalty. Defaults to
            `0.0`, no penalty.

    Example:
        from losses import HingeAdversarial

        real_logits, fake_logits = ops.ones((8, 1)), ops.zeros((8, 1))
        loss = HingeAdversarial()
        loss.discriminator(real_logits, fake_logits)        # 1.0
        loss.generator(fake_logits)                         # 0.0
    """

    penalty_weight = 0.0

    @abc.abstractmethod
    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        """Returns the loss of the discriminator, a scalar."""

    @abc.abstractmethod
    def generator(self, fake_logits: Tensor) -> Tensor:
        """Returns the loss of the generator, a scalar."""

    def get_config(self) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Adversarial":
        return cls(**config)
