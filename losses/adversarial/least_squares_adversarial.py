"""The adversarial loss of least-squares GANs."""

import keras
from keras import KerasTensor as Tensor
from keras import ops

from losses.adversarial.adversarial import Adversarial


@keras.saving.register_keras_serializable("colorizer")
class LeastSquaresAdversarial(Adversarial):
    """Squared distances of the logits from their labels, 1 for real images and 0 for fake ones.

    The discriminator minimizes E[(D(real) - 1)^2] + E[D(fake)^2], the generator
    E[(D(fake) - 1)^2].

    Reference:
        Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017, equation 9,
        without its factors of 1/2, as in the code of pix2pix and CycleGAN.
    """

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        return _squared_distance(real_logits, 1.0) + _squared_distance(fake_logits, 0.0)

    def generator(self, fake_logits: Tensor) -> Tensor:
        return _squared_distance(fake_logits, 1.0)


def _squared_distance(logits, label: float):
    return ops.mean(ops.square(ops.cast(logits, "float32") - label))
