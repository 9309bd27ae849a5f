"""The self-attention GAN that colors: a spectrally normalized U-Net and a VGG-like critic."""

import keras
import tensorflow as tf

from data.lab import join_lab
from models.colorizer import Colorizer
from models.networks.discriminators import vgg_discriminator
from models.networks.unet import unet


class SAGAN(Colorizer):
    """The spectral-norm self-attention U-Net, trained with or without an adversary.

    Args:
        filters: int, channels of the generator at full size. Defaults to `32`.
        depth: int, how many times the networks halve the size; with an encoder, which has its own
            depth, only the discriminator does. Defaults to `4`.
        attention_level: int, the level at which self-attention stands in both networks: level k
            is 1/2^k of the size. Defaults to `2`.
        norm: str, `batch`, `instance` or `none`, in the generator. Defaults to `batch`.
        encoder: str, `none` or a pretrained network in place of the generator's way down.
        discriminator_filters: int, channels of the discriminator at full size.
        encoder_weights: None, `imagenet` or a path, of the encoder.
        ema_decay: float, of the slow generator.

    Example:
        model = SAGAN(filters=16, encoder="mobilenet_v2", encoder_weights="imagenet")
        model.compile(adam, adam_of_the_critic, Reconstruction({"l1": 10.0}), HingeAdversarial())
        model.fit(batches, steps_per_epoch=100)

    Reference:
        Zhang et al., "Self-Attention Generative Adversarial Networks", ICML 2019; Ronneberger et
        al., "U-Net", MICCAI 2015; Antic, "NoGAN", for training the generator alone first.
    """

    def __init__(
        self,
        filters: int = 32,
        depth: int = 4,
        attention_level: int = 2,
        norm: str = "batch",
        encoder: str = "none",
        discriminator_filters: int = 32,
        encoder_weights: str | None = None,
        ema_decay: float = 0.999,
    ):
        architecture = {
            "filters": filters,
            "depth": depth,
            "attention_level": attention_level,
            "norm": norm,
            "encoder": encoder,
            "discriminator_filters": discriminator_filters,
        }
        super().__init__(
            generator=self.build_generator(architecture, encoder_weights),
            slow_generator=self.build_generator(architecture),
            ema_decay=ema_decay,
            name="sagan",
        )
        self.architecture = architecture
        self.discriminator = vgg_discriminator(discriminator_filters, depth, attention_level)
        self.adversarial_now = False

    @staticmethod
    def build_generator(architecture: dict, encoder_weights: str | None = None) -> keras.Model:
        """Builds the network that colors, from the architecture in settings.json."""
        return unet(
            filters=architecture["filters"],
            depth=architecture["depth"],
            attention_level=architecture["attention_level"],
            norm=architecture["norm"],
            encoder=architecture["encoder"],
            encoder_weights=encoder_weights,
        )

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        reconstruction,
        adversarial=None,
        adversarial_weight: float = 1.0,
        validation_metrics=(),
        jit_compile: bool = False,
    ):
        """Sets what training minimizes.

        Args:
            generator_optimizer, discriminator_optimizer: one for each network.
            reconstruction: `losses.reconstruction.Reconstruction`.
            adversarial: an adversarial loss, or None to train the generator alone.
            adversarial_weight: float, of the generator's adversarial loss.
            validation_metrics, jit_compile: as in `Colorizer.compile`.
        """
        super().compile(validation_metrics=validation_metrics, jit_compile=jit_compile)
        self.reconstruction = reconstruction
        self.adversarial = adversarial
        self.adversarial_weight = adversarial_weight
        # An optimizer that is not built would silently keep none of its state in a snapshot.
        self.generator_optimizer = generator_optimizer
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer = discriminator_optimizer
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)

        terms = list(reconstruction.weights)
        self.training_means = _means(
            [*terms, "generator_loss", "adversarial_loss", "discriminator_loss"]
        )
        self.validation_means = _means([*terms, "loss"])
        self.adversarial_now = adversarial is not None

    def set_learning_rates(self, generator: float, discriminator: float):
        """Sets the rates of both optimizers from the next step on."""
        self.generator_optimizer.learning_rate = generator
        self.discriminator_optimizer.learning_rate = discriminator

    def set_adversarial(self, on: bool):
        """Trains from the next step on with the discriminator, or the generator alone."""
        if on != self.adversarial_now:
            self.adversarial_now = on
            # The two phases are two graphs.
            self.make_train_function(force=True)

    def train_step(self, data):
        """One step on a batch of (lightness, ab), by algorithm:

        1. The generator colors the batch.
        2. The discriminator learns to tell the true pictures from the colored ones.
        3. The generator learns to come near the true colors and to pass for true.
        4. The slow generator follows.
        """
        lightness, true_ab = data
        losses = {}
        with tf.GradientTape() as tape:
            colored_ab = self.generator(lightness, training=True)
            if self.adversarial_now:
                with tape.stop_recording():
                    losses["discriminator_loss"] = self._train_discriminator(
                        join_lab(lightness, true_ab), join_lab(lightness, colored_ab)
                    )
            terms = self.reconstruction.terms(lightness, true_ab, colored_ab)
            loss = self.reconstruction.total(terms)
            if self.adversarial_now:
                # The discriminator is a judge here, not a pupil: its u and v stay as they are.
                logits = self.discriminator(join_lab(lightness, colored_ab), training=False)
                losses["adversarial_loss"] = self.adversarial.generator(logits)
                loss += self.adversarial_weight * losses["adversarial_loss"]
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply(tape.gradient(loss, variables), variables)
        self.update_slow_generator(self.generator_optimizer.iterations)
        return self.report({"generator_loss": loss, **terms, **losses})

    def validation_losses(self, lightness, true_ab, colored_ab):
        terms = self.reconstruction.terms(lightness, true_ab, colored_ab)
        return {**terms, "loss": self.reconstruction.total(terms)}

    def _train_discriminator(self, real_lab, fake_lab):
        """One step of the discriminator; returns its loss."""
        with tf.GradientTape() as tape:
            # One call for both, or the spectral norms would differ between them.
            logits = self.discriminator(tf.concat([real_lab, fake_lab], axis=0), training=True)
            real_logits, fake_logits = tf.split(logits, 2)
            loss = self.adversarial.discriminator(real_logits, fake_logits)
        variables = self.discriminator.trainable_variables
        self.discriminator_optimizer.apply(tape.gradient(loss, variables), variables)
        return loss


def _means(names):
    return {name: keras.metrics.Mean(name=name) for name in names}
