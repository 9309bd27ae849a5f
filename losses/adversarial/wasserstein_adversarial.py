"""The adversarial loss of Wasserstein GANs with a gradient penalty."""

from keras import ops

from losses.adversarial.adversarial import Adversarial


class WassersteinAdversarial(Adversarial):
    """The difference of the mean scores: an estimate of the distance of the two distributions.

    The critic minimizes E[D(fake)] - E[D(real)] plus the weighted gradient penalty, the generator
    -E[D(fake)]. The estimate is one only where the critic's gradients have a norm of 1, which is
    what the penalty asks for: see `losses.adversarial.gradient_penalty`.

    Args:
        penalty_weight: float, of the gradient penalty. Defaults to `10.0`, the paper's.

    Example:
        loss = WassersteinAdversarial()
        loss.discriminator(real_logits, fake_logits)
        loss.generator(fake_logits)

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

    def discriminator(self, real_logits, fake_logits):
        return _mean(fake_logits) - _mean(real_logits)

    def generator(self, fake_logits):
        return -_mean(fake_logits)


def _mean(logits):
    return ops.mean(ops.cast(logits, "float32"))
