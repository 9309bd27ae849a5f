"""The adversarial loss of SAGAN."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from losses.adversarial.adversarial import Adversarial


@keras.saving.register_keras_serializable("colorizer")
class HingeAdversarial(Adversarial):
    """Hinge loss: logits beyond a margin of 1 do not contribute to the discriminator's loss.

    The discriminator minimizes E[max(0, 1 - D(real))] + E[max(0, 1 + D(fake))], the generator
    -E[D(fake)].

    Reference:
        Lim and Ye, "Geometric GAN", 2017; Zhang et al., "Self-Attention Generative Adversarial
        Networks", ICML 2019, equation 4.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real = ops.mean(ops.relu(1.0 - ops.cast(real_logits, "float32")))
        return real + ops.mean(ops.relu(1.0 + ops.cast(fake_logits, "float32")))

    def generator(self, fake_logits: Tensor) -> Tensor:
        return -ops.mean(ops.cast(fake_logits, "float32"))
