"""The training step shared by the colorizers that are trained against a discriminator."""

import contextlib
import enum
from collections.abc import Iterable, Mapping
from typing import Any

import keras
import tensorflow as tf

from data.color.lab import join_lab
from losses.adversarial import get_adversarial
from losses.adversarial.adversarial import Adversarial
from losses.adversarial.gradient_penalty import gradient_penalty
from losses.reconstruction import Reconstruction, get_reconstruction
from models.colorizer import Colorizer
from models.compiled_update import compiled_update
from models.layers.replicas import gradients_of_mean, own_part, read, replicas
from models.networks.hint_network import HINTS
from models.one_thing import CHANCES, about_one_thing
from models.replicated_model import by_name
from models.undo import undone_if_positive


class Phase(enum.Enum):
    """Which networks a training step updates."""

    GENERATOR = "the generator alone"
    DISCRIMINATOR = "the discriminator alone"
    BOTH = "both"


class AdversarialColorizer(Colorizer):
    """A generator that predicts ab and a discriminator that scores Lab images.

    A subclass builds the networks and may override how the discriminator is called.

    Args:
        generator: `keras.Model` from lightness to ab.
        discriminator: `keras.Model` from Lab images to logits, larger for images that look real.
        architecture, ema_decay, name: as in `Colorizer`.

    Attributes:
        phase: `Phase`, which networks a step updates. `Phase.GENERATOR` without an adversarial
            loss.
        undo_nonfinite_steps: bool, as given to `compile`.
    """

    # Factor on the total loss of the discriminator.
    discriminator_weight = 1.0

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        architecture: dict[str, Any],
        ema_decay: float,
        name: str,
    ):
        super().__init__(generator, architecture, ema_decay, name)
        self.discriminator = discriminator
        self.phase = Phase.GENERATOR

    def compile(
        self,
        generator_optimizer: str | Mapping | keras.Optimizer = "adam",
        discriminator_optimizer: str | Mapping | keras.Optimizer = "adam",
        reconstruction: Mapping | Reconstruction | None = None,
        adversarial: str | Mapping | Adversarial | None = None,
        adversarial_weight: float = 1.0,
        discriminator_steps: int = 1,
        encoder_lr_share: float | None = None,
        seed: int = 0,
        validation_metrics: Iterable[keras.metrics.Metric] = (),
        jit_compile: bool = False,
        run_eagerly: bool = False,
        undo_nonfinite_steps: bool = False,
    ) -> None:
        """Sets the optimizers, losses and metrics.

        Optimizers do not decay biases and the weights of normalizations.

        Args:
            generator_optimizer, discriminator_optimizer: name, config or `keras.Optimizer`, one for
                each network. The generator's is `model.optimizer`, for callbacks of Keras. Default
                to `adam`.
            reconstruction: mapping from terms to weights, config or `losses.Reconstruction`.
                Defaults to `None`, `{"l1": 10.0}`.
            adversarial: name (`hinge`, `vanilla`, `lsgan` or `wgan-gp`), config or
                `losses.Adversarial`, or None to train the generator alone. Defaults to `None`.
            adversarial_weight: float, weight of the generator's adversarial loss. Defaults to
                `1.0`.
            discriminator_steps: int. While both networks are trained, every step trains the
                discriminator, and only every `discriminator_steps`-th step the generator too. Each
                step uses a new batch. Defaults to `1`.
            encoder_lr_share: float or None. A number gives the generator's encoder a copy of the
                generator's optimizer, at this share of the generator's learning rate.
                `freeze_encoder` needs it: the copy's step count starts when the encoder starts to
                train, and with the step count of the generator's optimizer Adam's first updates of
                the encoder would be many times too large. Defaults to `None`, one optimizer for
                both.
            seed: int, seed of the gradient penalty's random interpolation. Defaults to `0`.
            validation_metrics: iterable of metrics with `update_state(true_rgb1, colored_rgb1)`.
            jit_compile: bool, whether to compile the steps with XLA. Defaults to `False`, because
                XLA makes the steps several times slower on a CPU.
            run_eagerly: bool, whether to run the steps without a graph. Defaults to `False`.
            undo_nonfinite_steps: bool, whether a step with a NaN or infinite loss or gradient
                leaves all variables unchanged. Everything that a step changes is then in memory
                twice. Defaults to `False`.

        Raises:
            ValueError: an optimizer, a loss or a term is unknown, or both networks are given the
                same optimizer, or an optimizer that averages weights or scales the loss.
        """
        self.generator_optimizer = _optimizer(generator_optimizer)
        self.discriminator_optimizer = _optimizer(discriminator_optimizer)
        if self.generator_optimizer is self.discriminator_optimizer:
            raise ValueError(
                "the networks need optimizers of their own. Received: `generator_optimizer` and "
                f"`discriminator_optimizer` are the same {self.generator_optimizer}"
            )
        self.encoder_lr_share = encoder_lr_share
        self.encoder_optimizer = None
        if encoder_lr_share is not None:
            self.encoder_optimizer = _optimizer(_copied(self.generator_optimizer))
        # Keras would scale the loss of float16 in a step of its own.
        super().compile(
            self.generator_optimizer,
            auto_scale_loss=False,
            jit_compile=jit_compile,
            run_eagerly=run_eagerly,
        )
        self.reconstruction = get_reconstruction(reconstruction or {"l1": 10.0})
        # The steps that use it are those of an adversarial training.
        self.adversarial: Any = get_adversarial(adversarial)
        self.adversarial_weight = adversarial_weight
        self.discriminator_steps = discriminator_steps
        self.undo_nonfinite_steps = undo_nonfinite_steps
        self.seed = seed
        self.validation_metrics = by_name(validation_metrics)
        # A checkpoint silently omits the state of an optimizer that is not built.
        for optimizer, variables in self._optimizers_of(self.generator_variables):
            optimizer.build(variables)
        self.discriminator_optimizer.build(self.discriminator.trainable_variables)
        self._apply_to_generator = compiled_update(
            self._update_generator_and_ema, self.generator.count_params()
        )
        self._apply_to_discriminator = compiled_update(
            self._update_discriminator, self.discriminator.count_params()
        )

        generator_losses = ["generator_loss", *self.generator_terms(), "adversarial_loss"]
        self.training_means = _means([*generator_losses, *self._discriminator_losses])
        self.step_losses = {name: tf.Variable(0.0, trainable=False) for name in self.training_means}
        self.validation_means = _means([*self.reconstruction.names, "loss"])
        self.phase = Phase.GENERATOR if self.adversarial is None else Phase.BOTH
        self._trains_generator = True
        self._has_generator_loss = False

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile`, serialized."""
        if not self.compiled:
            return {}
        return keras.saving.serialize_keras_object(
            {
                "generator_optimizer": self.generator_optimizer,
                "discriminator_optimizer": self.discriminator_optimizer,
                "reconstruction": self.reconstruction,
                "adversarial": self.adversarial,
                "adversarial_weight": self.adversarial_weight,
                "discriminator_steps": self.discriminator_steps,
                "encoder_lr_share": self.encoder_lr_share,
                "seed": self.seed,
                "validation_metrics": list(self.validation_metrics.values()),
                "jit_compile": self.jit_compile,
                "run_eagerly": self.run_eagerly,
                "undo_nonfinite_steps": self.undo_nonfinite_steps,
            }
        )

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles the model with what `get_compile_config` returned."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def set_learning_rates(self, generator: float, discriminator: float) -> None:
        """Sets the learning rates from the next step on."""
        self.generator_optimizer.learning_rate = generator
        self.discriminator_optimizer.learning_rate = discriminator

    def set_phase(self, phase: Phase) -> None:
        """Sets which networks are trained from the next step on."""
        if phase is not self.phase:
            self.phase = phase
            # Each phase has its own graph.
            self.make_train_function(force=True)

    def freeze_encoder(self, frozen: bool) -> None:
        """Freezes or unfreezes the generator's encoder from the next step on.

        A frozen encoder normalizes with its moving statistics. Freeze it only at the beginning of
        training and with `encoder_lr_share`, because the EMA generator copies a frozen encoder
        instead of averaging it.

        Args:
            frozen: bool.
        """
        encoder = self._encoder()
        if encoder.trainable is frozen:
            encoder.trainable = not frozen
            self.make_train_function(force=True)

    def train_hints_alone(self) -> None:
        """Freezes all of the generator except its `hint_network`, before `compile`.

        Colors without hints then stay what they are, to the last bit. Batches should have hints and
        palettes, and in a quarter of the images these are about one thing alone: see
        `about_one_thing`.

        Raises:
            ValueError: the generator takes no hints.
        """
        if not self.takes_hints:
            raise ValueError("the generator should take hints. Received: `hints=False`")
        self.trains_hints_alone = True
        for layer in self.generator.layers:
            layer.trainable = layer.name == HINTS

    def make_train_function(self, force: bool = False) -> None:
        """Makes the train function, of two graphs where the discriminator has steps of its own."""
        before = self.train_function
        super().make_train_function(force)
        if self._has_turns() and self.train_function is not before:
            self.train_function = self._with_losses_so_far(self._function_for_each_turn())

    def reset_metrics(self) -> None:
        """Resets the mean losses of the epoch."""
        super().reset_metrics()
        self._has_generator_loss = False

    def train_step(self, data):
        """Runs a step on a batch of (lightness, ab) and the extra targets of a subclass."""
        # `train_on_batch` adds None for sample weights.
        lightness, true_ab, *others = (part for part in data if part is not None)
        # Otherwise the discriminator could tell the images apart by color detail alone.
        data = (lightness, self.coarsen(true_ab), *others)
        if self.trains_hints_alone:
            data = self._about_one_thing(*data)
        with self._undoing_nonfinite_steps():
            losses = self._train(data)
            self.report(losses)
        logged = self.training_means if self._has_turns() else losses
        return self.as_logs({name: self.training_means[name].result() for name in logged})

    def _about_one_thing(self, lightness, true_ab, hints, palettes):
        def color(lightness):
            return self.color(self.generator, lightness)

        # Checkpoints save the step count, so that a resumed training draws the same numbers.
        step = tf.cast(self.generator_optimizer.iterations, tf.int64)
        seed = tf.stack([step, tf.constant(self.seed, tf.int64)])
        images = tf.shape(lightness)[0] * replicas()
        chances = own_part(tf.random.stateless_uniform([images, CHANCES], seed))
        return about_one_thing(lightness, true_ab, hints, palettes, color, chances)

    def _train(self, data) -> dict:
        """Trains the networks whose turn it is, and returns the losses by name."""
        if self.phase is Phase.GENERATOR:
            return self._train_generator(data)
        if self.phase is Phase.DISCRIMINATOR or not self._trains_generator:
            return self._train_discriminator_alone(data)
        return self._train_both(data)

    @contextlib.contextmanager
    def _undoing_nonfinite_steps(self):
        self.nonfinite_count.assign(0)
        if not self.undo_nonfinite_steps:
            yield
            return
        optimizers = [value for value in vars(self).values() if isinstance(value, keras.Optimizer)]
        changing = [self, *self.training_means.values(), *optimizers]
        variables = [variable for part in changing for variable in part.variables]
        with undone_if_positive(self.nonfinite_count, variables):
            yield

    def validation_losses(
        self, lightness: tf.Tensor, true_ab: tf.Tensor, colored_ab: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        terms = self.reconstruction.terms(lightness, true_ab, colored_ab)
        return {**terms, "loss": self.reconstruction.total(terms)}

    @property
    def generator_variables(self) -> list:
        """The variables that the generator's loss trains."""
        return self.generator.trainable_variables

    def generator_terms(self) -> list[str]:
        """The names of the terms that `generate` returns."""
        return self.reconstruction.names

    def generate(self, data: tuple[tf.Tensor, ...]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        """Colors a training batch and returns ab, and the generator's loss terms by name."""
        lightness, true_ab = data[:2]
        colored_ab = self.color(self.generator, lightness, *self.given(data), training=True)
        return colored_ab, self.reconstruction.terms(lightness, true_ab, colored_ab)

    def weigh(self, terms: dict[str, tf.Tensor]) -> tf.Tensor:
        """The weighted sum of the generator's loss terms."""
        return self.reconstruction.total(terms)

    def score_both(self, real_lab: tf.Tensor, fake_lab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The logits of true and of colored images, to train the discriminator."""
        # A single call for both, because each training call updates the spectral norms.
        logits = self.discriminator(tf.concat([real_lab, fake_lab], axis=0), training=True)
        return tf.split(logits, 2)

    def score(self, lab: tf.Tensor) -> tf.Tensor:
        """The logits of images, for the generator's loss and the gradient penalty."""
        # `training=True` would update the spectral norms again in the same step.
        return self.discriminator(lab, training=False)

    def _train_generator(self, data) -> dict:
        """Trains the generator to match the true colors, and updates the EMA generator."""
        with tf.GradientTape() as tape:
            _, terms = self.generate(data)
            loss = self.weigh(terms)
        self._apply_to_generator(gradients_of_mean(tape, loss, self.generator_variables))
        return {"generator_loss": loss, **terms}

    def _train_both(self, data) -> dict:
        """Runs one step of both networks:

        1. The generator colors the batch.
        2. The discriminator is trained to tell the true images from the colored ones.
        3. The generator is trained to match the true colors and to be scored as real.
        4. The EMA generator is updated.
        """
        lightness, true_ab = data[:2]
        with tf.GradientTape() as tape:
            colored_ab, terms = self.generate(data)
            colored_lab = join_lab(lightness, colored_ab)
            with tape.stop_recording():
                discriminator_losses = self._train_discriminator(
                    join_lab(lightness, true_ab), colored_lab
                )
            adversarial_loss = self.adversarial.generator(self.score(colored_lab))
            loss = self.weigh(terms) + self.adversarial_weight * adversarial_loss
        self._apply_to_generator(gradients_of_mean(tape, loss, self.generator_variables))
        generator_losses = {"generator_loss": loss, **terms, "adversarial_loss": adversarial_loss}
        return {**generator_losses, **discriminator_losses}

    def _train_discriminator_alone(self, data) -> dict:
        """Trains the discriminator on images that the generator colors without being trained.

        The generator colors as in `_train_both`, with dropout and batch statistics, so that the
        discriminator's input does not change when the generator's training begins.
        """
        lightness, true_ab = data[:2]
        colored_ab = self.color(self.generator, lightness, *self.given(data), training=True)
        return self._train_discriminator(
            join_lab(lightness, true_ab), join_lab(lightness, colored_ab)
        )

    def _train_discriminator(self, real_lab, fake_lab) -> dict:
        """Runs one step of the discriminator and returns its losses."""
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
        # Checkpoints save the step count, so that a resumed training draws the same numbers.
        step = tf.cast(self.discriminator_optimizer.iterations, tf.int64)
        seed = tf.stack([step, tf.constant(self.seed, tf.int64)])
        images = tf.shape(real_lab)[0] * replicas()
        alpha = own_part(tf.random.stateless_uniform([images, 1, 1, 1], seed))
        return gradient_penalty(self.score, real_lab, fake_lab, alpha)

    def _update_discriminator(self, gradients: list) -> None:
        self.count_nonfinite(gradients)
        self.discriminator_optimizer.apply(gradients, self.discriminator.trainable_variables)

    def _update_generator_and_ema(self, gradients: list) -> None:
        self.count_nonfinite(gradients)
        variables = self.generator_variables
        gradient_of = dict(zip(map(id, variables), gradients, strict=True))
        if self.encoder_optimizer is not None:
            # Whatever has set the rate: a callback or a schedule of the optimizer. A variable would
            # be tracked by both.
            rate = tf.convert_to_tensor(self.generator_optimizer.learning_rate)
            self.encoder_optimizer.learning_rate = self.encoder_lr_share * rate
        for optimizer, part in self._optimizers_of(variables):
            optimizer.apply([gradient_of[id(variable)] for variable in part], part)
        self.update_ema(self.generator_optimizer.iterations)

    def _optimizers_of(self, variables: list) -> list[tuple[keras.optimizers.Optimizer, list]]:
        """The optimizers of the generator, each with the variables that it trains."""
        if self.encoder_optimizer is None:
            return [(self.generator_optimizer, variables)]
        encoder_ids = {id(variable) for variable in self._encoder().variables}
        of_encoder = [variable for variable in variables if id(variable) in encoder_ids]
        others = [variable for variable in variables if id(variable) not in encoder_ids]
        parts = [(self.generator_optimizer, others), (self.encoder_optimizer, of_encoder)]
        return [(optimizer, part) for optimizer, part in parts if part]

    def _encoder(self) -> keras.Model:
        return self.generator.get_layer(self.architecture["encoder"])

    def _has_turns(self) -> bool:
        """Whether the discriminator has steps of its own between those of both networks."""
        return self.phase is Phase.BOTH and self.discriminator_steps > 1

    def _function_for_each_turn(self):
        """Keras' train function, made once for discriminator steps and once for steps of both."""
        functions = {}
        for trains_generator in (False, True):
            super().make_train_function(force=True)
            functions[trains_generator] = self.train_function

        def step(iterator):
            steps = int(read(self.discriminator_optimizer.iterations))
            self._trains_generator = (steps + 1) % self.discriminator_steps == 0
            return functions[self._trains_generator](iterator)

        return step

    def _with_losses_so_far(self, train_function):
        # A mean of no values is 0, which would be plotted as a loss.
        def step(iterator):
            logs = train_function(iterator)
            if not self._has_generator_loss:
                count = read(self.training_means["generator_loss"].count)
                self._has_generator_loss = bool(count > 0)
            if self._has_generator_loss:
                return logs
            return {name: logs[name] for name in self._discriminator_losses}

        return step

    @property
    def _discriminator_losses(self) -> list[str]:
        has_penalty = self.adversarial is not None and self.adversarial.penalty_weight
        return ["discriminator_loss", *(["gradient_penalty"] if has_penalty else [])]


def _means(names) -> Mapping[str, keras.metrics.Mean]:
    return by_name(keras.metrics.Mean(name=name) for name in names)


def _optimizer(identifier: str | Mapping | keras.Optimizer) -> keras.Optimizer:
    optimizer = keras.optimizers.get(identifier)
    if optimizer.use_ema:
        raise ValueError(
            "the model averages the generator's weights itself, by `ema_decay`, and would lose "
            "them to an optimizer that does. Received: `use_ema=True`"
        )
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise ValueError(
            "the training steps do not scale their losses, so that an optimizer must not divide "
            f"the gradients. Received: {optimizer}"
        )
    if not optimizer.built:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _copied(optimizer: keras.Optimizer) -> keras.Optimizer:
    """An optimizer of the same settings; every step sets its learning rate."""
    rate = float(read(optimizer.learning_rate))
    return type(optimizer).from_config({**optimizer.get_config(), "learning_rate": rate})
