"""The adversarial loss of Wasserstein GANs with a gradient penalty."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from losses.adversarial.adversarial import Adversarial


@keras.saving.register_keras_serializable("colorizer")
class WassersteinAdversarial(Adversarial):
    """Difference of the mean scores, an estimate of the Wasserstein distance.

    The critic minimizes E[D(fake)] - E[D(real)] plus the weighted gradient penalty, the generator
    -E[D(fake)]. The estimate is valid only if the critic's gradients have a norm of 1, which the
    penalty encourages: see `losses.adversarial.gradient_penalty`.

    Args:
        penalty_weight: float, the weight of the gradient penalty. Defaults to `10.0`, as in the
            paper.

    Reference:
        Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017, equation 3.
    """

    def __init__(self, penalty_weight: float = 10.0):
        if penalty_weight < 0.0:
            raise ValueError(
                "`penalty_weight` should be at least 0. "
                f"Received: `penalty_weight={penalty_weight}`"
            )
        self.penalty_weight = penalty_weight

    def get_config(self) -> dict[str, Any]:
        return {"penalty_weight": self.penalty_weight}

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return _mean(fake_logits) - _mean(real_logits)

    def generator(self, fake_logits: Tensor) -> Tensor:
        return -_mean(fake_logits)


def _mean(logits):
    return ops.mean(ops.cast(logits, "float32"))
