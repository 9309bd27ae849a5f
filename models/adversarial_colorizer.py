"""A colorizer that is trained against a discriminator: the step that all such models share."""

import enum
from collections.abc import Mapping

import keras
import tensorflow as tf

from data.color.lab import join_lab
from losses.adversarial.gradient_penalty import gradient_penalty
from models.colorizer import Colorizer, by_name
from models.compiled_update import compiled_update
from models.layers.replicas import (
    gradients_of_mean,
    is_one_of_several,
    own_part,
    read,
    replicas,
)


class Phase(enum.Enum):
    """What a step trains."""

    GENERATOR = "the generator alone"
    DISCRIMINATOR = "the discriminator alone"
    BOTH = "both"


class AdversarialColorizer(Colorizer):
    """A generator that colors and a discriminator that judges Lab images.

    A subclass builds the networks, and may change how the discriminator is asked.

    Args:
        generator: `keras.Model` from lightness to ab.
        generator_ema: a second one of the same architecture.
        discriminator: `keras.Model` from Lab images to logits, larger for what looks real.
        ema_decay: float, of the EMA generator.
        name: str.

    Attributes:
        phase: `Phase`, what a step trains; without an adversarial loss always the generator.
        undo_nonfinite_steps: bool, of `compile`.
    """

    # Of all that the discriminator minimizes.
    discriminator_weight = 1.0

    def __init__(
        self,
        generator: keras.Model,
        generator_ema: keras.Model,
        discriminator: keras.Model,
        ema_decay: float,
        name: str,
    ):
        super().__init__(generator, generator_ema, ema_decay, name)
        self.discriminator = discriminator
        self.phase = Phase.GENERATOR

    def compile(
        self,
        generator_optimizer: keras.optimizers.Optimizer,
        discriminator_optimizer: keras.optimizers.Optimizer,
        reconstruction,
        adversarial=None,
        adversarial_weight: float = 1.0,
        discriminator_steps: int = 1,
        encoder_optimizer: keras.optimizers.Optimizer | None = None,
        seed: int = 0,
        validation_metrics=(),
        jit_compile: bool = False,
        undo_nonfinite_steps: bool = False,
    ):
        """Sets what training minimizes.

        Args:
            generator_optimizer, discriminator_optimizer: one for each network.
            reconstruction: `losses.reconstruction.Reconstruction`.
            adversarial: `losses.adversarial.adversarial.Adversarial`, or None to train the
                generator alone.
            adversarial_weight: float, of the generator's adversarial loss.
            discriminator_steps: int. Where both are trained, the discriminator is in every step,
                and the generator in every step of this number: each time with a fresh batch.
            encoder_optimizer: the optimizer of the generator's encoder, where the encoder is frozen
                for a while: its own count of steps begins when it does learn. Adam would take
                many times too large steps with the count of the others. None for the generator's.
            seed: int, of the places of the gradient penalty.
            validation_metrics, jit_compile: as in `Colorizer.compile`.
            undo_nonfinite_steps: bool. A step one of whose losses or gradients is NaN or infinite
                leaves all variables as they were; all that a step changes is in memory twice.
        """
        super().compile(validation_metrics=validation_metrics, jit_compile=jit_compile)
        self.reconstruction = reconstruction
        self.adversarial = adversarial
        self.adversarial_weight = adversarial_weight
        self.discriminator_steps = discriminator_steps
        self.undo_nonfinite_steps = undo_nonfinite_steps
        self.seed = seed
        # An optimizer that is not built would silently keep none of its state in a checkpoint.
        self.encoder_optimizer = encoder_optimizer
        self.generator_optimizer = generator_optimizer
        for optimizer, variables in self._optimizers_of(self.generator_variables):
            optimizer.build(variables)
        self.discriminator_optimizer = discriminator_optimizer
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self._apply_to_generator = compiled_update(
            self._update_generator_and_ema, self.generator.count_params()
        )
        self._apply_to_discriminator = compiled_update(
            self._update_discriminator, self.discriminator.count_params()
        )

        of_generator = ["generator_loss", *self.generator_terms(), "adversarial_loss"]
        self.training_means = _means([*of_generator, *self._discriminator_losses])
        self.step_losses = {name: tf.Variable(0.0, trainable=False) for name in self.training_means}
        self.validation_means = _means([*reconstruction.names, "loss"])
        self.phase = Phase.GENERATOR if adversarial is None else Phase.BOTH
        self._is_turn_of_generator = False
        self._generator_has_lost = False

    def set_learning_rates(self, generator: float, discriminator: float):
        """Sets the rates of both optimizers from the next step on."""
        self.generator_optimizer.learning_rate = generator
        if self.encoder_optimizer is not None:
            self.encoder_optimizer.learning_rate = generator
        self.discriminator_optimizer.learning_rate = discriminator

    def set_phase(self, phase: Phase):
        """Sets what is trained from the next step on."""
        if phase is not self.phase:
            self.phase = phase
            # Each phase is a graph of its own.
            self.make_train_function(force=True)

    def freeze_encoder(self, frozen: bool):
        """Sets whether the generator's encoder stays as it is from the next step on.

        A frozen one normalizes with the statistics that it came with. Freeze it at the beginning
        only, and with an `encoder_optimizer`: the EMA generator's encoder follows at once.
        """
        encoder = self._encoder()
        if encoder.trainable is frozen:
            encoder.trainable = not frozen
            self.make_train_function(force=True)

    def make_train_function(self, force=False):
        """Makes Keras' own, whose logs leave out what the generator has not yet lost this epoch."""
        before = self.train_function
        super().make_train_function(force)
        has_turns = self.phase is Phase.BOTH and self.discriminator_steps > 1
        if has_turns and self.train_function is not before:
            if self.distribute_strategy.num_replicas_in_sync > 1:
                self.train_function = self._one_for_each_turn()
            self.train_function = self._with_losses_so_far(self.train_function)

    def reset_metrics(self):
        """Forgets the losses of the epoch."""
        super().reset_metrics()
        self._generator_has_lost = False

    def train_step(self, data):
        """One step on a batch of (lightness, ab), and what else a subclass makes use of."""
        self.nonfinite_count.assign(0)
        if not self.undo_nonfinite_steps:
            return self._as_logs(self._train(data))
        state = self._state()
        # No copies: an assignment leaves the memory of what was read alone.
        before = [tf.convert_to_tensor(variable) for variable in state]
        logs = self._train(data)

        is_bad = self.nonfinite_count > 0

        def undo():
            for variable, value in zip(state, before, strict=True):
                if not _waits_for_replicas(variable):
                    variable.assign(value)

        tf.cond(is_bad, undo, lambda: None)
        for variable, value in zip(state, before, strict=True):
            if _waits_for_replicas(variable):
                variable.assign(tf.where(is_bad, value, variable))
        return self._as_logs({name: self.training_means[name].result() for name in logs})

    def _train(self, data) -> dict:
        if self.phase is Phase.GENERATOR:
            return self.report(self._train_generator(data))
        if self.phase is Phase.DISCRIMINATOR:
            return self.report(self._train_discriminator_alone(data))
        if self.discriminator_steps == 1:
            return self.report(self._train_both(data))
        return self._train_in_turns(data)

    def validation_losses(self, lightness, true_ab, colored_ab):
        terms = self.reconstruction.terms(lightness, true_ab, colored_ab)
        return {**terms, "loss": self.reconstruction.total(terms)}

    @property
    def generator_variables(self) -> list:
        """What the generator's optimizer trains."""
        return self.generator.trainable_variables

    def generator_terms(self) -> list[str]:
        """The names of the terms that `generate` gives."""
        return self.reconstruction.names

    def generate(self, data) -> tuple:
        """What the generator makes of a batch in training: ab, and its terms by name."""
        lightness, true_ab = data
        colored_ab = self.generator(lightness, training=True)
        return colored_ab, self.reconstruction.terms(lightness, true_ab, colored_ab)

    def weigh(self, terms):
        """The weighted sum of the terms, which the generator minimizes."""
        return self.reconstruction.total(terms)

    def score_both(self, real_lab, fake_lab):
        """What the discriminator that learns says of true and colored images: two logits."""
        # One call for both: spectral norms move in each.
        logits = self.discriminator(tf.concat([real_lab, fake_lab], axis=0), training=True)
        return tf.split(logits, 2)

    def score(self, lab):
        """What the discriminator says of colored images, from which the generator learns."""
        # It is a judge here, not a pupil: spectral norms stay as they are.
        return self.discriminator(lab, training=False)

    def _train_generator(self, data) -> dict:
        """The generator learns to come near the true colors, and the EMA generator follows."""
        with tf.GradientTape() as tape:
            _, terms = self.generate(data)
            loss = self.weigh(terms)
        self._apply_to_generator(gradients_of_mean(tape, loss, self.generator_variables))
        return {"generator_loss": loss, **terms}

    def _train_both(self, data) -> dict:
        """One step of both networks, by algorithm:

        1. The generator colors the batch.
        2. The discriminator learns to tell the true images from the colored ones.
        3. The generator learns to come near the true colors and to pass for true.
        4. The EMA generator follows.
        """
        lightness, true_ab = data[:2]
        with tf.GradientTape() as tape:
            colored_ab, terms = self.generate(data)
            colored_lab = join_lab(lightness, colored_ab)
            with tape.stop_recording():
                of_discriminator = self._train_discriminator(
                    join_lab(lightness, true_ab), colored_lab
                )
            adversarial_loss = self.adversarial.generator(self.score(colored_lab))
            loss = self.weigh(terms) + self.adversarial_weight * adversarial_loss
        self._apply_to_generator(gradients_of_mean(tape, loss, self.generator_variables))
        of_generator = {"generator_loss": loss, **terms, "adversarial_loss": adversarial_loss}
        return {**of_generator, **of_discriminator}

    def _train_in_turns(self, data) -> dict:
        """A step in which the discriminator learns, and the generator when it is its turn."""

        def both():
            self.report(self._train_both(data))
            return tf.constant(True)

        def discriminator_alone():
            self.report(self._train_discriminator_alone(data))
            return tf.constant(False)

        if is_one_of_several():
            # Inside a condition replicas could not wait for each other.
            both() if self._is_turn_of_generator else discriminator_alone()
        else:
            step = tf.convert_to_tensor(self.discriminator_optimizer.iterations) + 1
            tf.cond(step % self.discriminator_steps == 0, both, discriminator_alone)
        return {name: mean.result() for name, mean in self.training_means.items()}

    def _train_discriminator_alone(self, data) -> dict:
        """The discriminator learns from what the generator colors, and that one stays as it is.

        It colors as where both are trained, with its dropout and the statistics of the batch: what
        the discriminator meets does not change when the generator begins to learn.
        """
        lightness, true_ab = data[:2]
        colored_ab = self.generator(lightness, training=True)
        return self._train_discriminator(
            join_lab(lightness, true_ab), join_lab(lightness, colored_ab)
        )

    def _train_discriminator(self, real_lab, fake_lab) -> dict:
        """One step of the discriminator; returns its losses."""
        with tf.GradientTape() as tape:
            loss = self.adversarial.discriminator(*self.score_both(real_lab, fake_lab))
            losses = {"discriminator_loss": loss}
            if self.adversarial.penalty_weight:
                losses["gradient_penalty"] = self._gradient_penalty(real_lab, fake_lab)
                loss += self.adversarial.penalty_weight * losses["gradient_penalty"]
            loss = self.discriminator_weight * loss
        gradients = gradients_of_mean(tape, loss, self.discriminator.trainable_variables)
        self._apply_to_discriminator(gradients)
        return losses

    def _gradient_penalty(self, real_lab, fake_lab):
        # With the count of steps, which a checkpoint holds: a resumed training draws the same.
        step = tf.cast(self.discriminator_optimizer.iterations, tf.int64)
        seed = tf.stack([step, tf.constant(self.seed, tf.int64)])
        images = tf.shape(real_lab)[0] * replicas()
        alpha = own_part(tf.random.stateless_uniform([images, 1, 1, 1], seed))
        return gradient_penalty(self.score, real_lab, fake_lab, alpha)

    def _state(self) -> list:
        """Every variable that a step may change."""
        optimizers = [value for value in vars(self).values() if isinstance(value, keras.Optimizer)]
        parts = [self, *self.training_means.values(), *optimizers]
        return list({id(each): each for part in parts for each in part.variables}.values())

    def _update_discriminator(self, gradients: list) -> None:
        self.count_nonfinite(gradients)
        self.discriminator_optimizer.apply(gradients, self.discriminator.trainable_variables)

    def _update_generator_and_ema(self, gradients: list) -> None:
        self.count_nonfinite(gradients)
        variables = self.generator_variables
        of_variable = dict(zip(map(id, variables), gradients, strict=True))
        for optimizer, part in self._optimizers_of(variables):
            optimizer.apply([of_variable[id(variable)] for variable in part], part)
        self.update_ema(self.generator_optimizer.iterations)

    def _optimizers_of(self, variables: list) -> list[tuple[keras.optimizers.Optimizer, list]]:
        """The optimizers of the generator, each with those of the variables that it trains."""
        if self.encoder_optimizer is None:
            return [(self.generator_optimizer, variables)]
        of_encoder = {id(variable) for variable in self._encoder().variables}
        parts = [(self.generator_optimizer, []), (self.encoder_optimizer, [])]
        for variable in variables:
            parts[id(variable) in of_encoder][1].append(variable)
        return [(optimizer, part) for optimizer, part in parts if part]

    def _encoder(self) -> keras.Model:
        return self.generator.get_layer(self.architecture["encoder"])

    def _one_for_each_turn(self):
        """Keras' function, traced for the discriminator's turn and for that of both."""
        functions = {}
        for turn in (False, True):
            super().make_train_function(force=True)
            functions[turn] = self.train_function

        def step(iterator):
            steps = int(read(self.discriminator_optimizer.iterations))
            self._is_turn_of_generator = (steps + 1) % self.discriminator_steps == 0
            return functions[self._is_turn_of_generator](iterator)

        return step

    def _with_losses_so_far(self, train_function):
        # A mean of nothing is 0, which would be drawn as a loss.
        def step(iterator):
            logs = train_function(iterator)
            if not self._generator_has_lost:
                count = read(self.training_means["generator_loss"].count)
                self._generator_has_lost = bool(count > 0)
            if self._generator_has_lost:
                return logs
            return {name: logs[name] for name in self._discriminator_losses}

        return step

    @property
    def _discriminator_losses(self) -> list[str]:
        has_penalty = self.adversarial is not None and self.adversarial.penalty_weight
        return ["discriminator_loss", *(["gradient_penalty"] if has_penalty else [])]


def _means(names) -> Mapping[str, keras.metrics.Mean]:
    return by_name(keras.metrics.Mean(name=name) for name in names)


def _waits_for_replicas(variable) -> bool:
    """Whether an assignment to it is one of all replicas, which cannot be part of a condition."""
    return is_one_of_several() and variable.aggregation == "only_first_replica"
