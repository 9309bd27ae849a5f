"""The adversarial loss of the original GAN."""

from typing import Any

import keras
from keras import KerasTensor as Tensor
from keras import ops

from losses.adversarial.adversarial import Adversarial


@keras.saving.register_keras_serializable("colorizer")
class VanillaAdversarial(Adversarial):
    """Binary cross entropy on logits, in the non-saturating form for the generator.

    Args:
        label_smoothing: float in [0, 1). The label of real images is 1 - `label_smoothing`; that of
            fake images stays 0 (one-sided smoothing). Defaults to `0.1`.

    Reference:
        Goodfellow et al., "Generative Adversarial Nets", NeurIPS 2014; Salimans et al.,
        "Improved Techniques for Training GANs", NeurIPS 2016, section 3.4 (label smoothing).
    """

    def __init__(self, label_smoothing: float = 0.1):
        if not 0.0 <= label_smoothing < 1.0:
            raise ValueError(
                "`label_smoothing` should be in [0, 1). "
                f"Received: `label_smoothing={label_smoothing}`"
            )
        self.label_smoothing = label_smoothing

    def get_config(self) -> dict[str, Any]:
        return {"label_smoothing": self.label_smoothing}

    def discriminator(self, real_logits: Tensor, fake_logits: Tensor) -> Tensor:
        real = self._cross_entropy(real_logits, 1.0 - self.label_smoothing)
        return real + self._cross_entropy(fake_logits, 0.0)

    def generator(self, fake_logits: Tensor) -> Tensor:
        return self._cross_entropy(fake_logits, 1.0)

    def _cross_entropy(self, logits, label):
        logits = ops.cast(logits, "float32")
        labels = ops.full_like(logits, label)
        return ops.mean(keras.losses.binary_crossentropy(labels, logits, from_logits=True))
